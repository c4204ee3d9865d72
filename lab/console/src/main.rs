//! `lab-console --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use lab_console::{Config, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str =
    "The lab in a browser: a page a service, live, and buttons for faults, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    program::main("lab-console", ABOUT, run).await
}

async fn run(config: PathBuf) -> Result<()> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().context("cannot wait for signals")?;
    let server = Server::start(config).await?;
    shutdown.wait().await;
    server.shutdown();
    Ok(())
}
