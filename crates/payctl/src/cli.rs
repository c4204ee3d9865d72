//! Commands, and how they end: 0 done, 1 failed, 64 wrong usage or configuration (`EX_USAGE` of sysexits.h).

use std::error::Error;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::migrate;

const USAGE: u8 = 64;

#[derive(Debug, Parser)]
#[command(
    name = "payctl",
    version,
    about = "Operates the payment pipeline, on AWS and in the lab"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring the database's schema up to date
    Migrate(migrate::Args),
}

/// How a command failed, with what it says on stderr.
pub enum Failure {
    Config(Box<dyn Error>),
    Work(Box<dyn Error>),
}

pub async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return show_usage(&error),
    };
    let done = match cli.command {
        Command::Migrate(args) => migrate::run(args).await,
    };
    match done {
        Ok(text) => report(&text),
        Err(Failure::Config(error)) => complain(&*error, ExitCode::from(USAGE)),
        Err(Failure::Work(error)) => complain(&*error, ExitCode::FAILURE),
    }
}

/// Also for `--help` and `--version`, which are no mistakes.
fn show_usage(error: &clap::Error) -> ExitCode {
    // Nothing is left to do where the terminal is gone.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

fn report(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The error with its causes, on one line.
fn complain(error: &dyn Error, code: ExitCode) -> ExitCode {
    let mut line = format!("payctl: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    let _ = writeln!(io::stderr(), "{line}");
    code
}
