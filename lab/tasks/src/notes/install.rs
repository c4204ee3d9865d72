//! The AWS CLI and moto, from `PyPI` into a virtual environment of the lab's own.

use std::path::PathBuf;

use anyhow::Result;
use lab_runner::{
    install::python::{AWS, venv},
    workspace::Workspace,
};

/// Returns the folder of the programs `aws`, `moto_server` and `python`.
pub fn tools(workspace: &Workspace) -> Result<PathBuf> {
    let venv = venv(&workspace.tools(), &AWS)?;
    Ok(venv.dir().join("bin"))
}
