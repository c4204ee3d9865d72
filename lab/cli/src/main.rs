//! `cargo lab`.

mod cli;
mod command;

use std::process::ExitCode;

fn main() -> ExitCode {
    lab_runner::command_line::run(command::run)
}
