//! `cargo lab kill PART`: as if it had crashed.

use std::process::ExitCode;

use nix::sys::signal::Signal;

use super::{Context, Error};
use crate::{
    cli::Kill,
    output,
    state::status::{PartStatus, Status},
};

pub(super) fn run(args: &Kill, context: &Context) -> Result<ExitCode, Error> {
    let status = Status::load(&context.dir)?.ok_or_else(|| context.dir.no_lab())?;
    let process = status.part(args.part).and_then(PartStatus::identity);
    match process {
        Some(process) if process.signal(Signal::SIGKILL) => {
            output::say(format_args!("killed {} (pid {})", args.part, process.pid));
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(Error::NotRunning(args.part)),
    }
}
