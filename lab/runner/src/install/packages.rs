//! Installs Node packages from their registry, once, into a directory of the lab.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::{Error as InstallError, program};
use crate::output;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] InstallError),
    #[error("cannot write {}", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Installs the packages locked in `source` into `dir`, with other files of `source` beside them.
pub async fn npm(source: &Path, dir: &Path, files: &[&str]) -> Result<(), Error> {
    let lock = source.join("package-lock.json");
    for file in ["package.json", "package-lock.json"].iter().chain(files) {
        copy(&source.join(file), &dir.join(file))?;
    }
    if !is_current(dir, &lock) {
        let npm = program("npm")?;
        let mut ci = Command::new(npm);
        ci.args(["ci", "--silent", "--no-audit", "--no-fund"]);
        run(ci.current_dir(dir)).await?;
        keep(dir, &lock)?;
    }
    Ok(())
}

/// Whether the installed packages came from this list.
fn is_current(dir: &Path, list: &Path) -> bool {
    let installed = fs::read(dir.join("installed"));
    matches!((installed, fs::read(list)), (Ok(installed), Ok(list)) if installed == list)
}

fn keep(dir: &Path, list: &Path) -> Result<(), Error> {
    copy(list, &dir.join("installed"))
}

fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    let failed = |source| Error::Write {
        path: to.to_owned(),
        source,
    };
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).map_err(failed)?;
    }
    fs::copy(from, to).map_err(failed)?;
    Ok(())
}

async fn run(command: &mut Command) -> Result<(), InstallError> {
    let words = std::iter::once(command.as_std().get_program()).chain(command.as_std().get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let shown = words.join(" ");
    output::say(format_args!("installing: {shown}"));
    match command.stdin(Stdio::null()).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(InstallError::Failed {
            command: shown,
            status,
        }),
        Err(source) => Err(InstallError::Run {
            command: shown,
            source,
        }),
    }
}
