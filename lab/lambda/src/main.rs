//! `lab-lambda --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab_lambda::{Config, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str = "The lab's Lambda: runs a function's binary over the Runtime API, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    program::main("lab-lambda", ABOUT, run).await
}

async fn run(config: PathBuf) -> Result<()> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().context("cannot wait for signals")?;
    let function = config.function.name.clone();
    let server = Server::start(config).await?;
    let version = env!("CARGO_PKG_VERSION");
    tracing::info!(version, addr = %server.addr(), function, "lab-lambda listens");
    shutdown.wait().await;
    server.shutdown().await;
    tracing::info!("lab-lambda ended");
    Ok(())
}
