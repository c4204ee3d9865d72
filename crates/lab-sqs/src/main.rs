//! `lab-sqs --config FILE`: serves until SIGTERM or SIGINT.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lab_sqs::{Config, Server, StartError};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// sysexits.h: the command was used wrongly.
const EX_USAGE: u8 = 64;

/// The lab's SQS: standard queues on local files, on loopback.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// JSON file with everything else
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            error.print().ok();
            return if error.use_stderr() {
                EX_USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "lab-sqs: {}", chain(&error)).ok();
            match error {
                StartError::Config(_) => EX_USAGE.into(),
                StartError::Root { .. }
                | StartError::InUse { .. }
                | StartError::Listen { .. }
                | StartError::Signals(_) => ExitCode::FAILURE,
            }
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), StartError> {
    let config = Config::load(&arguments.config)?;
    // Before the start, so that no signal finds the default in place.
    let mut terminated = signal(SignalKind::terminate()).map_err(StartError::Signals)?;
    let mut interrupted = signal(SignalKind::interrupt()).map_err(StartError::Signals)?;
    let server = Server::start(config).await?;
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, addr = %server.addr(), "lab-sqs listens");
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    server.shutdown().await;
    tracing::info!("lab-sqs ended");
    Ok(())
}

/// The error and all that caused it, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
