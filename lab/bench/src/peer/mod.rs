//! What the pipeline is measured against: the programs under `lab/bench/peers/`, and substitutes for the function.

mod pin;
pub mod s2;
pub mod sql;
mod stack;
pub mod vector;

use std::{fs, io, path::PathBuf};

use lab_runner::{
    database::User,
    install::{self, packages, python::Packages},
};

pub use self::{
    pin::{Pinned, pin_self},
    stack::{Peer, Stack, fixed_answer, neutral_s3},
};
use super::{Error as BenchError, host::Function, testbed::Testbed};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] install::Error),
    #[error(transparent)]
    Packages(#[from] packages::Error),
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot pin a process to core {core}")]
    Pin {
        core: usize,
        #[source]
        source: nix::Error,
    },
}

/// The function in Python, under AWS's own runtime client.
pub fn python_function(bed: &Testbed) -> Result<Function, BenchError> {
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
fn python(bed: &Testbed, peer: &str) -> Result<PathBuf, Error> {
    let path = places(bed, peer).0.join("requirements.txt");
    let list = fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?;
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
