//! The load generators: `wrk` from the system's packages, `oha` from crates.io.

use std::path::{Path, PathBuf};

use crate::{build, install, lab::Lab, output};

/// Pinned, so that figures of two days came from the same generator.
const OHA: &str = "1.16.0";

#[derive(Clone, Debug)]
pub struct Tools {
    pub wrk: PathBuf,
    pub oha: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Install(#[from] install::Error),
    #[error("oha {OHA} can't be built: cargo install --locked oha --version {OHA}")]
    Oha,
}

/// Finds them; installs what is missing.
pub async fn ensure(lab: &Lab) -> Result<Tools, Error> {
    Ok(Tools {
        wrk: install::program("wrk")?,
        oha: oha(lab).await?,
    })
}

async fn oha(lab: &Lab) -> Result<PathBuf, Error> {
    let own = lab.workspace.tools();
    let built = own.join("bin/oha");
    if let Some(found) = install::find("oha").or_else(|| exists(&built)) {
        return Ok(found);
    }
    output::say(format_args!(
        "installing: cargo install --locked oha --version {OHA}"
    ));
    let status = build::cargo(&lab.workspace)
        .args([
            "install",
            "--locked",
            "--quiet",
            "oha",
            "--version",
            OHA,
            "--root",
        ])
        .arg(&own)
        .status()
        .await;
    match status {
        Ok(status) if status.success() => Ok(built),
        _ => Err(Error::Oha),
    }
}

fn exists(path: &Path) -> Option<PathBuf> {
    path.is_file().then(|| path.to_owned())
}
