//! `cargo lab screenshots`: takes the pictures of the manual from a real run.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use lab_runner::{
    command_line::INTERRUPTED, lab::Lab, scratch_lab::ScratchLab, state::LabDir,
    workspace::Workspace,
};

use crate::screenshots;

/// Directory of the screenshots' lab, under the lab's own.
const DIR: &str = "screenshots";

#[derive(Debug, Args)]
pub struct Screenshots {
    /// Directory for the pictures [default: screenshots in the workspace]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
    /// Run the programs as last built, without building
    #[arg(long)]
    pub no_build: bool,
}

pub async fn run(args: &Screenshots, dir: &LabDir, workspace: Workspace) -> Result<ExitCode> {
    let usual = workspace.root().join("screenshots");
    let folder = args.to.as_deref().unwrap_or(&usual);
    // On the usual ports, which the manual names.
    let up: &[&str] = if args.no_build { &["--no-build"] } else { &[] };
    let taken = async |lab: Lab| Ok(screenshots::take(&lab, folder).await?);
    let scratch = ScratchLab::new(DIR, dir, workspace)?;
    Ok(match scratch.with(up, taken).await? {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(INTERRUPTED),
    })
}
