//! What the pipeline is measured against: the programs under `bench/`, and what stands in place of the function.

mod install;
mod pin;
pub mod sql;
mod stack;

use std::{io, path::PathBuf};

pub use self::{
    pin::{Pinned, pin_self},
    stack::{Peer, Stack, fixed_answer},
};
use super::{Error as BenchError, bed::Bed, host::Function};
use crate::{database::User, install::Error as InstallError};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("can't write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("a process can't be kept on core {core}")]
    Pin {
        core: usize,
        #[source]
        source: nix::Error,
    },
}

/// The function in Python, under AWS's own runtime client.
pub async fn python_function(bed: &Bed) -> Result<Function, BenchError> {
    let source = bed.lab.workspace.root().join("bench/python-lambda");
    let python = install::venv(bed, "python-lambda").await?;
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
