//! `cargo lab test`: everything that must pass before a change is done, in one command.
//!
//! Builds the programs, then runs tests against a private MariaDB. With `--full`, checks formatting, lints and
//! documentation first, then runs every test, and those of the database against MySQL too.

mod selection;
mod server;
mod steps;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context as _, Result};
use lab_runner::{
    build::cargo,
    install::{self, Flavour, Tools, Wanted},
    output,
};

use super::Context;
use crate::cli;

use self::{server::TestServer, steps::Steps};

const NO_SERVER: &str = "no database server was found";

pub(super) async fn run(args: &cli::Test, context: &Context) -> Result<ExitCode> {
    let started = Instant::now();
    let server = Wanted::Only(args.database.unwrap_or(Flavour::Mariadb));
    let tools = ensure(server, args.install, context)?;
    let shutdown = super::shutdown(None)?;
    let mut steps = Steps::new(shutdown);
    if args.full {
        checks(&mut steps, context).await?;
    }
    if selection::needs_programs(args) {
        cargo_step(&mut steps, context, "build", "build --release --workspace").await?;
    }
    let asked = selection::of(args);
    tests(&mut steps, context, tools, ("tests", asked)).await?;
    if args.full && args.database.is_none() {
        on_mysql(&mut steps, args, context).await?;
    }
    output::say(format_args!(
        "ok: {} passed in {:.0} s",
        steps.passed(),
        started.elapsed().as_secs_f64()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Also tests on MySQL, which RDS runs: what uses the database, and one payment end to end.
async fn on_mysql(steps: &mut Steps, args: &cli::Test, context: &Context) -> Result<()> {
    let installed = install::look(Wanted::Only(Flavour::Mysql), &context.workspace.tools());
    if let (Err(_), Err(reason)) = (installed, install::mysql::is_possible()) {
        output::warn(format_args!("! nothing is tested on MySQL: {reason}"));
        return Ok(());
    }
    let tools = ensure(Wanted::Only(Flavour::Mysql), args.install, context)?;
    tests(
        steps,
        context,
        tools,
        ("mysql", selection::of_the_database()),
    )
    .await
}

/// `cargo lab db`: runs a server for `cargo test`, until Ctrl-C.
pub(super) async fn database(args: &cli::Db, context: &Context) -> Result<ExitCode> {
    let tools = ensure(
        args.database.map_or(Wanted::Any, Wanted::Only),
        args.install,
        context,
    )?;
    let mut shutdown = super::shutdown(None)?;
    let server = TestServer::start(tools).await?;
    output::say(format_args!(
        "export DATABASE_URL={}",
        server.url().expose()
    ));
    shutdown.wait().await;
    server.stop().await?;
    Ok(ExitCode::SUCCESS)
}

fn ensure(server: Wanted, may_install: bool, context: &Context) -> Result<Tools> {
    install::ensure(server, &context.workspace.tools(), may_install)
}

/// Runs the checks that need no server.
async fn checks(steps: &mut Steps, context: &Context) -> Result<()> {
    for (step, arguments) in [
        ("format", "fmt --all --check"),
        (
            "lints",
            "clippy --release --workspace --all-targets -- -D warnings",
        ),
        (
            "docs",
            "doc --release --workspace --no-deps --document-private-items",
        ),
    ] {
        cargo_step(steps, context, step, arguments).await?;
    }
    Ok(())
}

async fn cargo_step(
    steps: &mut Steps,
    context: &Context,
    step: &'static str,
    arguments: &str,
) -> Result<()> {
    let mut command = cargo(&context.workspace);
    command.args(arguments.split(' '));
    // With private items, so that links to them resolve.
    command.env(
        "RUSTDOCFLAGS",
        "-D warnings -A rustdoc::private_intra_doc_links",
    );
    steps.run(step, command).await
}

/// Runs a step of tests on a server of its own, which is removed afterwards.
async fn tests(
    steps: &mut Steps,
    context: &Context,
    tools: Tools,
    (step, arguments): (&'static str, Vec<String>),
) -> Result<()> {
    let database = tools.database.as_ref().context(NO_SERVER)?;
    let flavour = database.flavour;
    let what = format!("{flavour} {}, a private server", database.version);
    let server = steps
        .of("database", &what, TestServer::start(tools))
        .await?;
    let mut command = cargo(&context.workspace);
    command.args(arguments);
    command.env("DATABASE_URL", server.url().expose());
    command.env(install::DATABASE, flavour.to_string());
    let outcome = steps.run(step, command).await;
    server.stop().await?;
    outcome
}
