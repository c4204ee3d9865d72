//! `lab-sqs --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab_sqs::{Config, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str = "The lab's SQS: standard queues on local files, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    program::main("lab-sqs", ABOUT, run).await
}

async fn run(config: PathBuf) -> Result<()> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().context("cannot wait for signals")?;
    let server = Server::start(config).await?;
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, addr = %server.addr(), "lab-sqs listens");
    shutdown.wait().await;
    server.shutdown().await;
    tracing::info!("lab-sqs ended");
    Ok(())
}
