//! Commands that are programs of their own, built when first used: `up` does not wait for what it does not run.

use std::{convert::Infallible, os::unix::process::CommandExt as _, process::Command};

use anyhow::{Error, Result};
use lab_runner::build;

use super::Context;
use crate::cli::Passed;

/// With this option the programs run as last built, including the tool.
const NO_BUILD: &str = "--no-build";

/// Builds the program and replaces this process with it. Returns only if that failed.
pub(super) async fn become_program(
    name: &str,
    command: &[&str],
    passed: &Passed,
    context: &Context,
) -> Result<Infallible> {
    if !passed.arguments.iter().any(|word| word == NO_BUILD) {
        build::programs(&context.workspace, &[name]).await?;
    }
    let program = context.workspace.program(name);
    let mut next = Command::new(&program);
    if let Some(dir) = &context.named {
        next.arg("--dir").arg(dir);
    }
    let error = next.args(command).args(&passed.arguments).exec();
    Err(Error::new(error).context(format!("cannot start {}", program.display())))
}
