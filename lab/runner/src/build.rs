//! Builds the programs that the lab runs.

use std::{
    env,
    ffi::{OsStr, OsString},
};

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::workspace::Workspace;

/// Programs on the path of a payment.
pub const PIPELINE: [&str; 6] = [
    "web-tier",
    "app-tier",
    "lambda-ingest",
    "lab-s3",
    "lab-sqs",
    "lab-lambda",
];

/// The console, the lab in a browser.
pub const CONSOLE: &str = "lab-console";

/// The operator's tool, also behind the console's button for dead letters.
pub const OPERATOR_TOOL: &str = "payctl";

/// Variables that `cargo run` sets for a program's own package.
///
/// Build scripts depend on some of these, ring's among them. If they were passed on, half of all dependencies would be
/// compiled again, and once more by the next `cargo run`.
const OF_THIS_PACKAGE: [&str; 5] = [
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_",
];

/// Returns `cargo`, to be run in the workspace: the one that runs this program, if one does.
pub fn cargo(workspace: &Workspace) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(workspace.root()).kill_on_drop(true);
    for (name, _) in env::vars_os() {
        if is_of_this_package(&name) {
            command.env_remove(name);
        }
    }
    command
}

fn is_of_this_package(variable: &OsStr) -> bool {
    let name = variable.to_string_lossy();
    OF_THIS_PACKAGE
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Builds programs of the workspace that `LAB_PROGRAMS` does not provide, and shows cargo's progress.
pub async fn programs(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let names = names.iter().filter(|name| !workspace.is_provided(name));
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut command = cargo(workspace);
    // With `--bin` and no package names, features are chosen as for `cargo lab`, so that no library is compiled twice.
    command.args(["build", "--release"]);
    for name in names {
        command.args(["--bin", name]);
    }
    let status = command
        .status()
        .await
        .context("cannot run cargo; is it on the PATH?")?;
    ensure!(status.success(), "the build failed: {status}");
    Ok(())
}

/// Builds a program that has not been built yet, such as one that a command needs in addition to its own.
pub async fn if_missing(workspace: &Workspace, name: &str) -> Result<()> {
    if workspace.program(name).exists() {
        return Ok(());
    }
    programs(workspace, &[name]).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cargo_run_added_is_kept_from_cargo() {
        for added in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_BIN_NAME"] {
            assert!(is_of_this_package(OsStr::new(added)), "{added}");
        }
        for chosen in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_JOBS", "PATH"] {
            assert!(!is_of_this_package(OsStr::new(chosen)), "{chosen}");
        }
    }
}
