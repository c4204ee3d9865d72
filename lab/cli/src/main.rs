//! `cargo lab`.

use std::process::ExitCode;

use clap::Parser as _;
use lab::{cli::Cli, command, output};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(command::run(cli)),
        Err(error) => Err(command::Error::Runtime(error)),
    };
    outcome.unwrap_or_else(|error| {
        output::error(&error);
        ExitCode::FAILURE
    })
}

/// A mistake on the command line exits with 64, as in the other programs; asking for help does not.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(64)
    } else {
        ExitCode::SUCCESS
    }
}
