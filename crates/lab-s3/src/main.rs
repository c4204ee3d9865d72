//! `lab-s3 --config FILE`: runs the server until SIGTERM or SIGINT.

use std::error::Error as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lab_s3::{Config, Error, Server};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The lab's S3.
#[derive(Parser)]
struct Arguments {
    /// JSON file with addresses, buckets and identities
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// `EX_USAGE`: the configuration is wrong.
const WRONG_CONFIG: u8 = 64;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // s3s logs every refusal as an error; the lab logs its own lines.
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,s3s=off"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .init();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            match error {
                Error::Config(_) => ExitCode::from(WRONG_CONFIG),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let server = Server::start(Config::load(&arguments.config)?).await?;
    ended().await;
    server.shutdown().await;
    Ok(())
}

/// Waits for SIGTERM or SIGINT.
async fn ended() {
    let wait = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(error) => tracing::error!(%error, "a signal can't be waited for"),
    };
    tokio::select! {
        () = wait(SignalKind::terminate()) => {}
        () = wait(SignalKind::interrupt()) => {}
    }
}

/// Writes the error and its causes to stderr.
fn complain(error: &Error) {
    let mut chain = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        chain.push(error.to_string());
        cause = error.source();
    }
    let _ = writeln!(std::io::stderr(), "lab-s3: {}", chain.join(": "));
}
