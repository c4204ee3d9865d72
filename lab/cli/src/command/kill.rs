//! `cargo lab kill PART`: kills a part as if it had crashed.

use std::process::ExitCode;

use anyhow::{Error, Result, anyhow};
use lab_runner::{
    output,
    part_name::PartName,
    state::status::{PartStatus, Status},
};
use nix::sys::signal::Signal;

use super::Context;
use crate::cli::Kill;

pub(super) fn run(args: &Kill, context: &Context) -> Result<ExitCode> {
    let status = Status::load(&context.dir)?.ok_or_else(|| context.dir.no_lab())?;
    let process = status.part(args.part).and_then(PartStatus::identity);
    match process {
        Some(process) if process.signal(Signal::SIGKILL) => {
            output::say(format_args!("killed {} (pid {})", args.part, process.pid));
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(not_running(args.part)),
    }
}

pub(super) fn not_running(part: PartName) -> Error {
    anyhow!("{part} does not run: see `cargo lab status`")
}
