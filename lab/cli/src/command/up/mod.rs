//! `cargo lab up`: from a bare machine to a payment in the database.

mod first_payment;
mod follow;
mod prepare;

use std::{process::ExitCode, time::Instant};

use anyhow::{Result, bail};
use lab_runner::{
    build,
    install::{self, Wanted},
    lab::Lab,
    output,
    part::{PartName, mysql},
    process::Identity,
    shutdown::Shutdown,
    state::status::Status,
    vpc::wiring,
};
use tokio::process::Child;

use super::{Context, INTERRUPTED, down, env::quoted, status};
use crate::cli;

pub(super) async fn run(args: &cli::Up, context: &Context) -> Result<ExitCode> {
    context.dir.create()?;
    let Some(preparing) = context.dir.lock_preparation()? else {
        bail!(
            "another `up` is running in {}; wait for it",
            context.dir.root().display()
        );
    };
    if context.dir.is_supervised()? {
        output::say("the lab runs already");
        status::show(Status::load(&context.dir)?.as_ref(), &context.cargo_lab);
        return Ok(ExitCode::SUCCESS);
    }
    down::end_orphans(&context.dir).await?;
    wiring::remove(&context.dir)?;
    if args.fresh {
        context.dir.erase()?;
        context.dir.create()?;
    }
    let wanted = wanted(args, context)?;
    let tools = install::ensure(wanted, &context.workspace.tools(), args.install)?;
    if !args.no_build {
        build(args, context).await?;
    }
    let lab = prepare::lab(args, tools, context).await?;

    let mut shutdown = super::shutdown(None)?;
    let interrupted = start(&lab, context, &mut shutdown).await?.is_none();
    drop(preparing);
    if interrupted {
        return Ok(ExitCode::from(INTERRUPTED));
    }
    if lab.settings.console && !args.no_build {
        tokio::select! {
            () = build_operator_tool(context) => {}
            _ = shutdown.wait() => {
                down::run(context).await?;
                return Ok(ExitCode::from(INTERRUPTED));
            }
        }
    }
    suggest(&lab, context);
    if args.detach {
        let cargo_lab = &context.cargo_lab;
        output::say(format_args!("\nruns on; end it with {cargo_lab} down"));
        return Ok(ExitCode::SUCCESS);
    }
    stay(context, &mut shutdown).await
}

/// Returns the requested server, or the one that created the data of earlier runs.
fn wanted(args: &cli::Up, context: &Context) -> Result<Wanted> {
    if args.database_url.is_some() {
        return Ok(Wanted::Elsewhere);
    }
    match (args.database, mysql::kept(&context.dir)) {
        (Some(asked), Some(kept)) if asked != kept => bail!(
            "the lab's data was created by {kept}, and no other server can read it; use that server, or delete the data: cargo lab up --fresh"
        ),
        (asked, kept) => Ok(asked.or(kept).map_or(Wanted::Any, Wanted::Only)),
    }
}

/// Builds what runs; the rest of the workspace is built by the commands that need it.
async fn build(args: &cli::Up, context: &Context) -> Result<()> {
    output::say("building what runs");
    let started = Instant::now();
    let mut programs = build::PIPELINE.to_vec();
    if !args.no_console {
        programs.push(build::CONSOLE);
    }
    build::programs(&context.workspace, &programs).await?;
    let detail = format!("{} programs", programs.len());
    output::done("build", detail, started.elapsed());
    Ok(())
}

/// Builds the tool behind the console's buttons, after the first payment. If that fails, the lab keeps running.
async fn build_operator_tool(context: &Context) {
    let started = Instant::now();
    match build::programs(&context.workspace, &[build::OPERATOR_TOOL]).await {
        Ok(()) => output::done("build", build::OPERATOR_TOOL, started.elapsed()),
        Err(error) => output::error(error.as_ref()),
    }
}

/// Starts the lab, or leaves nothing of it running; returns `None` if a person interrupted it.
async fn start(lab: &Lab, context: &Context, shutdown: &mut Shutdown) -> Result<Option<()>> {
    let started = Instant::now();
    let mut supervisor = follow::spawn_supervisor(lab, context)?;
    let process = Identity::of_child(&supervisor);
    let outcome = tokio::select! {
        outcome = bring_up(lab, &mut supervisor) => outcome.map(Some),
        _ = shutdown.wait() => Ok(None),
    };
    if let Ok(Some(())) = outcome {
        output::done("up", lab.url(PartName::Alb), started.elapsed());
    } else {
        down::stop(&context.dir, process).await?;
    }
    outcome
}

/// Waits until all parts are healthy, and sends a payment through if the lab may pay.
async fn bring_up(lab: &Lab, supervisor: &mut Child) -> Result<()> {
    follow::until_running(lab, supervisor).await?;
    if !lab.settings.may_pay() {
        return Ok(());
    }
    first_payment::send(lab).await
}

fn suggest(lab: &Lab, context: &Context) {
    let trust = lab.tls().map_or_else(String::new, |files| {
        format!(" --cacert {}", quoted(&files.ca.display().to_string()))
    });
    let key = match lab.settings.clients {
        Some(_) => " -H \"Authorization: Bearer $PAY_KEY\"",
        None => "",
    };
    output::say(format_args!(
        "
try next:
  curl{trust}{key} -X POST {}/pay -H 'Content-Type: application/json' -d '{{\"id\": \"test123\", \"transaction\": \"roundtrip\"}}'
  {} sql \"SELECT * FROM payments.transactions ORDER BY id DESC LIMIT 10\"",
        lab.url(PartName::Alb),
        context.cargo_lab
    ));
    if lab.settings.console {
        output::say(format_args!(
            "  {}  to look at all of it in a browser",
            lab.url(PartName::Console)
        ));
    }
}

/// Watches in the foreground until Ctrl-C.
async fn stay(context: &Context, shutdown: &mut Shutdown) -> Result<ExitCode> {
    output::say("\nCtrl-C stops it");
    tokio::select! {
        _ = shutdown.wait() => down::run(context).await,
        ended = follow::deaths(&context.dir) => {
            ended?;
            output::say("the lab was stopped");
            // Nothing is left, unless the supervisor was killed.
            down::run(context).await
        }
    }
}
