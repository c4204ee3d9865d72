//! The AWS CLI and moto, from Python's registry into a virtual environment of the lab's own.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use nix::unistd::Uid;
use tokio::process::Command;

use crate::{install, output, workspace::Workspace};

/// Pinned, so that the notes are run by the same commands everywhere.
const REQUIREMENTS: &str = include_str!("requirements.txt");

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] install::Error),
    #[error("can't run {command}")]
    Run {
        command: String,
        #[source]
        source: io::Error,
    },
    #[error("{command} failed")]
    Failed { command: String },
    #[error("python3 here can't make virtual environments: install python3-venv")]
    NoVenv,
    #[error("can't write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// The folder of the programs `aws`, `moto_server` and `python`.
pub async fn tools(workspace: &Workspace) -> Result<PathBuf, Error> {
    let dir = workspace.tools().join("runbook");
    let programs = dir.join("bin");
    let installed = dir.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|list| list == REQUIREMENTS) {
        return Ok(programs);
    }
    venv(&dir).await?;
    let list = dir.join("requirements.txt");
    write(&list, REQUIREMENTS)?;
    let mut pip = Command::new(programs.join("python"));
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "-r"]).arg(&list);
    run(&mut pip).await?;
    write(&installed, REQUIREMENTS)?;
    Ok(programs)
}

/// Debian packs what makes them apart from Python.
async fn venv(dir: &Path) -> Result<(), Error> {
    let python = install::program("python3")?;
    let make = async || {
        let mut venv = Command::new(&python);
        run(venv.args(["-m", "venv", "--clear"]).arg(dir)).await
    };
    if make().await.is_ok() {
        return Ok(());
    }
    if !Uid::effective().is_root() || install::find("apt-get").is_none() {
        return Err(Error::NoVenv);
    }
    for command in [
        "apt-get update",
        "apt-get install -y --no-install-recommends python3-venv",
    ] {
        output::say(format_args!("installing: {command}"));
        install::run(command)?;
    }
    make().await
}

fn write(path: &Path, content: &str) -> Result<(), Error> {
    fs::write(path, content).map_err(|source| Error::Write {
        path: path.to_owned(),
        source,
    })
}

async fn run(command: &mut Command) -> Result<(), Error> {
    let words = std::iter::once(command.as_std().get_program()).chain(command.as_std().get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let command_line = words.join(" ");
    output::say(format_args!("installing: {command_line}"));
    match command.stdin(Stdio::null()).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Error::Failed {
            command: command_line,
        }),
        Err(source) => Err(Error::Run {
            command: command_line,
            source,
        }),
    }
}
