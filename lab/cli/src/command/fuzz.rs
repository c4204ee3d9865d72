//! `cargo lab fuzz`: runs every fuzz target for a limited time, with cargo-fuzz.

use std::{fs, io, process::ExitCode};

use lab_runner::{build::cargo, install, output};

use super::{Context, Error as CommandError};
use crate::cli;

/// Folder in the workspace.
const TARGETS: &str = "lab/fuzz/fuzz_targets";

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cargo-fuzz is not installed; run cargo install --locked cargo-fuzz")]
    NoCargoFuzz,
    #[error("cannot list the fuzz targets")]
    List(#[source] io::Error),
    #[error("cannot run cargo fuzz")]
    Run(#[source] io::Error),
    #[error(
        "{target} found an input that breaks it, saved in lab/fuzz/artifacts/{target}; make a test of it, then fix the code"
    )]
    Found { target: String },
}

pub(super) async fn run(args: &cli::Fuzz, context: &Context) -> Result<ExitCode, CommandError> {
    if install::find("cargo-fuzz").is_none() {
        return Err(Error::NoCargoFuzz.into());
    }
    for target in targets(context).map_err(Error::List)? {
        let mut command = cargo(&context.workspace);
        // No sanitizer: it would need a nightly compiler, and finds errors of unsafe code, of which there is none.
        command.args([
            "fuzz",
            "run",
            "--fuzz-dir",
            "lab/fuzz",
            "--sanitizer",
            "none",
            &target,
            "--",
        ]);
        command.arg(format!("-max_total_time={}", args.seconds));
        command.arg("-print_final_stats=1");
        let status = command.status().await.map_err(Error::Run)?;
        if !status.success() {
            return Err(Error::Found { target }.into());
        }
        output::say(format_args!("✓ {target}: nothing found"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the targets, one per file, sorted by name.
fn targets(context: &Context) -> io::Result<Vec<String>> {
    let mut targets = Vec::new();
    for file in fs::read_dir(context.workspace.root().join(TARGETS))? {
        let path = file?.path();
        targets.extend(
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned()),
        );
    }
    targets.sort();
    Ok(targets)
}
