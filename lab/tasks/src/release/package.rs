//! The packages, and what belongs into each.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};

use super::{
    archive::{self, Entry, PROGRAM, TEXT},
    target::BuildTarget,
};

/// Programs to build.
pub const PROGRAMS: [&str; 4] = ["web-tier", "app-tier", "lambda-ingest", "payctl"];

/// Programs that systemd runs on an instance.
const TIERS: [&str; 2] = ["web-tier", "app-tier"];

/// Largest `bootstrap.zip`, which is loaded at every cold start. A larger one links something that it should not.
pub const BOOTSTRAP_BYTES_MAX: usize = 5_000_000;

pub const SUMS: &str = "SHA256SUMS";

/// The commit that was built.
#[derive(Clone, Debug)]
pub struct Commit {
    pub version: String,
    /// Seconds since 1970.
    pub epoch: u64,
}

/// A file to ship.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    pub name: String,
    pub content: Vec<u8>,
}

/// Packs the programs in the folder `programs`, with the files of the workspace that belong to them.
pub fn products(
    workspace: &Path,
    programs: &Path,
    target: BuildTarget,
    commit: &Commit,
) -> Result<Vec<Product>> {
    let mut products = Vec::new();
    for program in ["web-tier", "app-tier", "payctl"] {
        products.push(tarball(workspace, programs, program, target, commit)?);
    }
    products.push(bootstrap(programs, target)?);
    Ok(products)
}

fn tarball(
    workspace: &Path,
    programs: &Path,
    program: &str,
    target: BuildTarget,
    commit: &Commit,
) -> Result<Product> {
    let folder = format!("{program}-{}-{}", commit.version, target.arch());
    let mut entries = vec![
        entry(&programs.join(program), program, PROGRAM)?,
        entry(&workspace.join("LICENSE"), "LICENSE", TEXT)?,
    ];
    if TIERS.contains(&program) {
        for name in [
            format!("{program}.service"),
            format!("{program}.env.example"),
        ] {
            let path = workspace.join("deploy-notes/systemd").join(&name);
            entries.push(entry(&path, &name, TEXT)?);
        }
    }
    let name = format!("{folder}.tar.gz");
    let content = archive::tar_gz(&folder, entries, commit.epoch);
    let content = content.with_context(|| format!("cannot pack {name}"))?;
    Ok(Product { name, content })
}

/// Returns the function's zip for Lambda: one program, named `bootstrap`.
fn bootstrap(programs: &Path, target: BuildTarget) -> Result<Product> {
    let name = format!("bootstrap-{}.zip", target.arch());
    let program = entry(&programs.join("lambda-ingest"), "bootstrap", PROGRAM)?;
    let content = archive::zip(&program).with_context(|| format!("cannot pack {name}"))?;
    Ok(Product { name, content })
}

/// Refuses a function that has grown too large. Only for shipped builds: others are larger.
pub fn check_size(products: &[Product]) -> Result<()> {
    let too_large = |product: &&Product| {
        product.name.starts_with("bootstrap-") && product.content.len() > BOOTSTRAP_BYTES_MAX
    };
    if let Some(Product { name, content }) = products.iter().find(too_large) {
        bail!(
            "{name} has {} bytes, more than the limit of {BOOTSTRAP_BYTES_MAX}; `cargo tree -p lambda-ingest` shows \
             what it links",
            content.len()
        );
    }
    Ok(())
}

fn entry(path: &Path, name: &str, mode: u32) -> Result<Entry> {
    let content = std::fs::read(path);
    let content = content.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Entry {
        name: name.to_owned(),
        mode,
        content,
    })
}

/// A file's name and its checksum.
pub type Sum = (String, String);

/// Returns what an earlier run wrote into `folder` for another target, if unchanged.
pub fn earlier(folder: &Path, products: &[Product]) -> Vec<Sum> {
    let listed = std::fs::read_to_string(folder.join(SUMS)).unwrap_or_default();
    let lines = listed.lines().filter_map(|line| line.split_once("  "));
    lines
        .filter(|(_, name)| products.iter().all(|product| product.name != *name))
        .filter(|(sum, name)| {
            let content = std::fs::read(folder.join(name));
            content.is_ok_and(|content| hex::encode(Sha256::digest(content)) == *sum)
        })
        .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
        .collect()
}

/// Returns the checksum file for `sha256sum -c`.
pub fn sums(products: &[Product]) -> Product {
    sums_beside(Vec::new(), products)
}

/// Returns the checksum file, including `earlier` products.
pub fn sums_beside(earlier: Vec<Sum>, products: &[Product]) -> Product {
    let sum = |product: &Product| {
        (
            product.name.clone(),
            hex::encode(Sha256::digest(&product.content)),
        )
    };
    let mut lines: Vec<_> = products.iter().map(sum).chain(earlier).collect();
    lines.sort_unstable();
    let mut text = String::new();
    for (name, sum) in lines {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{sum}  {name}");
    }
    Product {
        name: SUMS.to_owned(),
        content: text.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_past_its_size_is_refused_and_a_tier_is_not() {
        let product = |name: &str, bytes| Product {
            name: name.to_owned(),
            content: vec![0; bytes],
        };
        let over = BOOTSTRAP_BYTES_MAX + 1;
        let tier = product("app-tier-1.2.3-x86_64.tar.gz", over);
        let fits = product("bootstrap-x86_64.zip", BOOTSTRAP_BYTES_MAX);
        check_size(&[tier.clone(), fits]).unwrap();
        let error = check_size(&[tier, product("bootstrap-x86_64.zip", over)]).unwrap_err();
        assert!(error.to_string().contains("has 5000001 bytes"), "{error}");
    }
}
