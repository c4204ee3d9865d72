//! The load generators: `wrk` from the system's packages, `oha` from crates.io. When a scenario first needs one that is
//! missing, it is installed.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use lab_runner::{build, install, output, workspace::Workspace};
use tokio::sync::OnceCell;

use super::load::{oha::Oha, wrk::Wrk};

/// Pinned, so that figures of different days come from the same generator.
const OHA: &str = "1.16.0";

#[derive(Debug, Default)]
pub struct Tools {
    wrk: OnceCell<Wrk>,
    oha: OnceCell<Oha>,
}

impl Tools {
    pub async fn wrk(&self) -> Result<&Wrk> {
        let find = async || {
            let program = install::program("wrk")?;
            Ok(Wrk { program })
        };
        self.wrk.get_or_try_init(find).await
    }

    pub async fn oha(&self, workspace: &Workspace) -> Result<&Oha> {
        let find = async || {
            let program = oha(workspace).await?;
            Ok(Oha { program })
        };
        self.oha.get_or_try_init(find).await
    }
}

async fn oha(workspace: &Workspace) -> Result<PathBuf> {
    let own = workspace.tools();
    let built = own.join("bin/oha");
    if let Some(found) = install::find("oha") {
        return Ok(found);
    }
    if built.is_file() {
        return Ok(built);
    }
    output::say(format_args!(
        "installing: cargo install --locked oha --version {OHA}"
    ));
    let status = build::cargo(workspace)
        .args(["install", "--locked", "--quiet", "oha"])
        .args(["--version", OHA, "--root"])
        .arg(&own)
        .status()
        .await;
    ensure!(
        status.is_ok_and(|status| status.success()),
        "cannot build oha {OHA}; try: cargo install --locked oha --version {OHA}"
    );
    Ok(built)
}
