//! Dummies for the files that `cargo lab dist` makes and AWS provides: the pages upload them, and nothing runs them.

use std::{fs, io, path::Path};

use crate::release::{
    Product,
    archive::{self, Entry},
    package::sums,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn release(folder: &Path) -> io::Result<()> {
    fs::create_dir(folder)?;
    let mut products = vec![Product {
        name: "bootstrap-x86_64.zip".to_owned(),
        content: archive::zip(&Entry {
            name: "bootstrap".to_owned(),
            mode: archive::PROGRAM,
            content: b"#!/bin/sh\n".to_vec(),
        })?,
    }];
    for program in ["web-tier", "app-tier", "payctl"] {
        let name = format!("{program}-{VERSION}-x86_64.tar.gz");
        products.push(Product {
            content: name.clone().into_bytes(),
            name,
        });
    }
    products.push(sums(&products));
    for product in &products {
        fs::write(folder.join(&product.name), &product.content)?;
    }
    fs::write(folder.join("rds-global-bundle.pem"), "certificates\n")
}
