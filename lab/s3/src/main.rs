//! `lab-s3 --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use lab_s3::{Config, Error, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str =
    "The lab's S3: buckets on local files, with IAM policies and event notification, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    let is_usage = |error: &Error| matches!(error, Error::Config(_));
    program::main("lab-s3", ABOUT, is_usage, run).await
}

async fn run(config: PathBuf) -> Result<(), Error> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().map_err(Error::Signals)?;
    let server = Server::start(config).await?;
    shutdown.wait().await;
    server.shutdown().await;
    Ok(())
}
