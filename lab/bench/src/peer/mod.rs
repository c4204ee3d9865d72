//! What the pipeline is measured against: the programs under `lab/bench/peers/`, and substitutes for the function.

mod pin;
pub mod s2;
pub mod sql;
mod stack;
pub mod vector;

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use lab_runner::{
    database::User,
    install::{self, python::Packages},
};

pub use self::{
    pin::{Pinned, pin_self},
    stack::{Peer, Stack, fixed_answer, neutral_s3},
};
use super::{host::Function, testbed::Testbed};

/// The function in Python, under AWS's own runtime client.
pub fn python_function(bed: &Testbed) -> Result<Function> {
    let (source, _) = places(bed, "python-lambda");
    let python = python(bed, "python-lambda")?;
    let database = bed.lab.database()?;
    let (host, port) = database.host_and_port();
    let mut environment = Function::access(bed);
    let password = User::Ingest.password(&bed.lab).expose().to_owned();
    let own = [
        ("PYTHON", python.display().to_string()),
        ("DB_HOST", host),
        ("DB_PORT", port.to_string()),
        ("DB_USER", User::Ingest.name().to_owned()),
        ("DB_PASSWORD", password),
    ];
    environment.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Ok(Function {
        name: "python-lambda",
        binary: source.join("bootstrap"),
        environment,
    })
}

/// Returns the Python of a virtual environment that has the peer's requirements.
fn python(bed: &Testbed, peer: &str) -> Result<PathBuf> {
    let path = places(bed, peer).0.join("requirements.txt");
    let list =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let packages = Packages {
        name: peer.to_owned().into(),
        list: list.into(),
        whole: true,
    };
    let venv = install::python::venv(&bed.lab.workspace.tools(), &packages)?;
    Ok(venv.program("python"))
}

/// Returns a peer's source folder, and the folder for its packages.
fn places(bed: &Testbed, peer: &str) -> (PathBuf, PathBuf) {
    let workspace = &bed.lab.workspace;
    let source = workspace.root().join("lab/bench/peers").join(peer);
    (source, workspace.tools().join(peer))
}
