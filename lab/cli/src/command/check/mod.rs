//! `cargo lab test`: what must hold before a change is done, in one command.
//!
//! Format, lints, build, then every test against a private database server.

mod server;
mod steps;

use std::{path::PathBuf, process::ExitCode, time::Instant};

use lab_runner::{build::cargo, install, output, secret::Secret, vpc};

use super::{Context, Error as CommandError};
use crate::cli;

use self::{server::TestServer, steps::Steps};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{step} failed: {status}")]
    Failed {
        step: &'static str,
        status: std::process::ExitStatus,
    },
    #[error("can't run the step {step}")]
    Run {
        step: &'static str,
        #[source]
        source: std::io::Error,
    },
    #[error("interrupted")]
    Interrupted,
    #[error("the database server for the tests is not ready: {0}")]
    NotReady(String),
    #[error("can't make a directory for the database server")]
    Directory(#[source] std::io::Error),
    #[error("no database server")]
    NoServer,
    #[error("can't end the database server, which has its files in {}", home.display())]
    Stop {
        home: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

pub(super) async fn run(args: &cli::Test, context: &Context) -> Result<ExitCode, CommandError> {
    let started = Instant::now();
    let tools = install::ensure(true, args.install)?;
    let shutdown = super::shutdown(None)?;
    let mut steps = Steps::new(shutdown);
    if args.filters.is_empty() {
        checks(&mut steps, context).await?;
    }
    let server = steps
        .of("database", "a private server", TestServer::start(tools))
        .await?;
    let outcome = tests(&mut steps, args, context, &server.url()).await;
    server.stop().await?;
    outcome?;
    output::say(format_args!(
        "ok: {} passed in {:.0} s",
        steps.passed(),
        started.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

/// What needs no server.
async fn checks(steps: &mut Steps, context: &Context) -> Result<(), CommandError> {
    for (step, arguments) in [
        ("format", "fmt --all --check"),
        (
            "lints",
            "clippy --release --workspace --all-targets -- -D warnings",
        ),
        ("build", "build --release --workspace"),
    ] {
        let mut command = cargo(&context.workspace);
        command.args(arguments.split(' '));
        steps.run(step, command).await?;
    }
    Ok(())
}

/// All tests, or those that were asked for; `url` is the server's, as its administrator.
async fn tests(
    steps: &mut Steps,
    args: &cli::Test,
    context: &Context,
    url: &Secret,
) -> Result<(), CommandError> {
    let mut command = cargo(&context.workspace);
    let impossible = vpc::is_possible().err();
    // Under nextest where it is installed, else under cargo's own runner.
    if install::find("cargo-nextest").is_some() {
        command.args(["nextest", "run", "--release", "--workspace"]);
        if impossible.is_some() {
            command.args(["-E", "not (package(lab) and test(/^vpc::/))"]);
        }
    } else {
        command.args(["test", "--release", "--workspace", "--"]);
        if impossible.is_some() {
            command.args(["--skip", "vpc::"]);
        }
    }
    if let Some(reason) = &impossible {
        output::warn(format_args!("! the tests of the VPC are not run: {reason}"));
    }
    command.args(&args.filters);
    command.env("DATABASE_URL", url.expose());
    steps.run("tests", command).await
}
