//! `lab-s3 --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab_s3::{Config, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str =
    "The lab's S3: buckets on local files, with IAM policies and event notification, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    program::main("lab-s3", ABOUT, run).await
}

async fn run(config: PathBuf) -> Result<()> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().context("cannot wait for signals")?;
    let server = Server::start(config).await?;
    shutdown.wait().await;
    server.shutdown().await;
    Ok(())
}
