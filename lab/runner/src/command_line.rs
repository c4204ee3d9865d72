//! What the programs of `cargo lab` share: `--dir`, the runtime, and exit statuses.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::{Args, Parser};

use crate::{output, state::LabDir, workspace::Workspace};

/// Exit status that a shell reports for a command ended by Ctrl-C.
pub const INTERRUPTED: u8 = 130;

/// Wrong usage, as in the shipped programs.
const USAGE: u8 = 64;

/// `--dir`, which every command takes.
#[derive(Clone, Debug, Default, Args)]
pub struct DirOption {
    /// Directory of the lab's state, data and logs [default: .lab in the workspace]
    #[arg(long, global = true, env = "LAB_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl DirOption {
    /// Returns the given directory, or the default one.
    pub fn lab_dir(&self, workspace: &Workspace) -> Result<LabDir> {
        match &self.dir {
            Some(dir) => LabDir::at(dir),
            None => LabDir::at(&workspace.root().join(".lab")),
        }
    }
}

/// Parses the command line and runs the command; prints its error with all causes.
pub fn run<C: Parser>(command: impl AsyncFnOnce(C) -> Result<ExitCode>) -> ExitCode {
    let arguments = match C::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = runtime
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(command(arguments)));
    outcome.unwrap_or_else(|error| {
        output::error(error.as_ref());
        ExitCode::FAILURE
    })
}

/// Asking for help is not an error.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Parses an option's value: a number from 0 to `most`.
pub fn number_to(most: f64, text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if (0.0..=most).contains(&number) => Ok(number),
        _ => Err(format!("must be a number from 0 to {most}")),
    }
}
