//! Brings the peers' packages from their registries, once, under the lab's own directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::process::Command;

use super::Error;
use crate::{bench::bed::Bed, install, output};

/// A virtual environment with the peer's requirements; its python.
pub(super) async fn venv(bed: &Bed, peer: &str) -> Result<PathBuf, Error> {
    let requirements = source(bed, peer).join("requirements.txt");
    let dir = bed.lab.workspace.tools().join(peer);
    let python = dir.join("bin/python");
    if is_current(&dir, &requirements) {
        return Ok(python);
    }
    let system = install::program("python3")?;
    run(Command::new(system).args(["-m", "venv"]).arg(&dir)).await?;
    let mut pip = Command::new(&python);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-r",
    ]);
    run(pip.arg(&requirements)).await?;
    keep(&dir, &requirements)?;
    Ok(python)
}

/// The Node peer with its packages; its directory.
pub(super) async fn node(bed: &Bed) -> Result<PathBuf, Error> {
    let source = source(bed, "node-web");
    let dir = bed.lab.workspace.tools().join("node-web");
    let lock = source.join("package-lock.json");
    for file in [
        "package.json",
        "package-lock.json",
        "deployed.js",
        "tuned.js",
    ] {
        copy(&source.join(file), &dir.join(file))?;
    }
    if !is_current(&dir, &lock) {
        let npm = install::program("npm")?;
        let mut ci = Command::new(npm);
        ci.args(["ci", "--silent", "--no-audit", "--no-fund"]);
        run(ci.current_dir(&dir)).await?;
        keep(&dir, &lock)?;
    }
    Ok(dir)
}

fn source(bed: &Bed, peer: &str) -> PathBuf {
    bed.lab.workspace.root().join("bench").join(peer)
}

/// Whether what is there was installed from this very list.
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

async fn run(command: &mut Command) -> Result<(), Error> {
    let words = std::iter::once(command.as_std().get_program()).chain(command.as_std().get_args());
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    let shown = words.join(" ");
    output::say(format_args!("installing: {shown}"));
    match command.stdin(Stdio::null()).status().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(install::Error::Failed {
            command: shown,
            status,
        }
        .into()),
        Err(source) => Err(install::Error::Run {
            command: shown,
            source,
        }
        .into()),
    }
}
