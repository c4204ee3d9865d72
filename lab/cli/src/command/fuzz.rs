//! `cargo lab fuzz`: runs every fuzz target for a limited time, with cargo-fuzz.

use std::{fs, io, process::ExitCode};

use anyhow::{Context as _, Result, ensure};
use lab_runner::{build::cargo, install, output};

use super::Context;
use crate::cli;

/// Folder in the workspace.
const TARGETS: &str = "lab/fuzz/fuzz_targets";

pub(super) async fn run(args: &cli::Fuzz, context: &Context) -> Result<ExitCode> {
    ensure!(
        install::find("cargo-fuzz").is_some(),
        "cargo-fuzz is not installed; run cargo install --locked cargo-fuzz"
    );
    for target in targets(context).context("cannot list the fuzz targets")? {
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
        let status = command.status().await.context("cannot run cargo fuzz")?;
        ensure!(
            status.success(),
            "{target} found an input that breaks it, saved in lab/fuzz/artifacts/{target}; make a test of it, then fix the code"
        );
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
