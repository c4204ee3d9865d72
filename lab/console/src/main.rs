//! `lab-console --config FILE`: serves until SIGTERM or SIGINT.

use std::path::PathBuf;
use std::process::ExitCode;

use lab_console::{Config, Error, Server};
use server_kit::program::{self, ShutdownSignal};

const ABOUT: &str =
    "The lab in a browser: a page a service, live, and buttons for faults, on loopback";

#[tokio::main]
async fn main() -> ExitCode {
    let is_usage = |error: &Error| matches!(error, Error::Config(_));
    program::main("lab-console", ABOUT, is_usage, run).await
}

async fn run(config: PathBuf) -> Result<(), Error> {
    let config = Config::load(&config)?;
    let mut shutdown = ShutdownSignal::listen().map_err(Error::Signals)?;
    let server = Server::start(config).await?;
    shutdown.wait().await;
    server.shutdown();
    Ok(())
}
