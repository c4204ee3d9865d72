//! `cargo lab screenshots`: the pictures of the manual, from a real run.

use std::process::ExitCode;

use super::{Context, Error, INTERRUPTED, apart::Apart};
use crate::{cli, lab::Lab, screenshots};

/// Under the lab's own directory.
const DIR: &str = "screenshots";

pub(super) async fn run(args: &cli::Screenshots, context: &Context) -> Result<ExitCode, Error> {
    let usual = context.workspace.root().join("screenshots");
    let folder = args.to.as_deref().unwrap_or(&usual);
    // On the usual ports: those that the manual names.
    let up: &[&str] = if args.no_build { &["--no-build"] } else { &[] };
    let taken = async |lab: Lab| Ok(screenshots::take(&lab, folder).await?);
    Ok(match Apart::at(DIR, context)?.with(up, taken).await? {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(INTERRUPTED),
    })
}
