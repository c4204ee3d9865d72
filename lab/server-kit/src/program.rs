//! The entry point of a server: `lab-… --config FILE`, until SIGTERM or SIGINT.

use std::error::Error;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use ::program::chain;
use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::ConfigError;

/// sysexits.h: wrong usage or configuration.
const EX_USAGE: u8 = 64;

/// It logs every refusal as an error; the lab logs lines of its own instead.
const S3S: &str = "s3s";

#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// JSON configuration file
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Waits for SIGTERM or SIGINT. Listens from its creation, so that neither signal kills the process before `wait`.
#[derive(Debug)]
pub struct ShutdownSignal {
    terminated: Signal,
    interrupted: Signal,
}

impl ShutdownSignal {
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminated: signal(SignalKind::terminate())?,
            interrupted: signal(SignalKind::interrupt())?,
        })
    }

    pub async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminated.recv() => {}
            _ = self.interrupted.recv() => {}
        }
    }
}

/// Runs a program: `run` gets the path of its configuration. A mistake in that is wrong usage.
pub async fn main(
    name: &'static str,
    about: &'static str,
    run: impl AsyncFnOnce(PathBuf) -> anyhow::Result<()>,
) -> ExitCode {
    let command = Arguments::command().name(name).about(about);
    let parsed = command
        .try_get_matches()
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let arguments = match parsed {
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
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().json().flatten_event(true))
        .with(filter())
        .init();
    match run(arguments.config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "{name}: {}", chain(error.as_ref())).ok();
            if error.chain().any(<dyn Error>::is::<ConfigError>) {
                EX_USAGE.into()
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Returns the filter from `RUST_LOG`, or the default if that is unset or invalid.
fn filter() -> Targets {
    let wanted = std::env::var("RUST_LOG").ok();
    let wanted = wanted.and_then(|wanted| wanted.parse().ok());
    wanted.unwrap_or_else(|| {
        Targets::new()
            .with_default(Level::INFO)
            .with_target(S3S, LevelFilter::OFF)
    })
}
