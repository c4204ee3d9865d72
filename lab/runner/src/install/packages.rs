//! Installs Node packages from their registry, once, into a directory of the lab.

use std::{fs, path::Path, process::Stdio};

use anyhow::{Context as _, Result};
use tokio::process::Command;

use super::{must_succeed, program, shown};
use crate::output;

/// Installs the packages locked in `source` into `dir`, with other files of `source` beside them.
pub async fn npm(source: &Path, dir: &Path, files: &[&str]) -> Result<()> {
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

fn keep(dir: &Path, list: &Path) -> Result<()> {
    copy(list, &dir.join("installed"))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("cannot write {}", to.display());
    if let Some(dir) = to.parent() {
        fs::create_dir_all(dir).with_context(failed)?;
    }
    fs::copy(from, to).with_context(failed)?;
    Ok(())
}

async fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command.as_std());
    output::say(format_args!("installing: {shown}"));
    let status = command.stdin(Stdio::null()).status().await;
    must_succeed(&shown, status)
}
