//! `cargo lab chaos`: on a lab of its own, so that nothing else is in the verdict.

use std::{
    process::{ExitCode, Stdio},
    time::Duration,
};

use tokio::process::Command;

use super::{Context, Error};
use crate::{
    chaos::{self, Options},
    cli,
    lab::Lab,
    output,
    shutdown::Shutdown,
    state::{LabDir, settings::Via},
};

/// Under the lab's own directory.
const DIR: &str = "chaos";

const INTERRUPTED: u8 = 130;

pub(super) async fn run(args: &cli::Chaos, context: &Context) -> Result<ExitCode, Error> {
    let dir = LabDir::at(&context.dir.root().join(DIR))?;
    let mut shutdown = Shutdown::listen(None).map_err(Error::Signals)?;
    let outcome = tokio::select! {
        outcome = with_lab(args, &dir, context) => outcome.map(Some),
        _ = shutdown.wait() => Ok(None),
    };
    lab(&dir, context, &["down"]).await?;
    Ok(match outcome? {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(INTERRUPTED),
    })
}

/// Whether every promise held.
async fn with_lab(args: &cli::Chaos, dir: &LabDir, context: &Context) -> Result<bool, Error> {
    let owner = std::process::id().to_string();
    let mut up = vec!["up", "--detach", "--fresh", "--free-ports", "--relay"];
    up.extend(["--owner", &owner]);
    if args.via == Via::Sqs {
        up.extend(["--via", "sqs"]);
    }
    if args.no_build {
        up.push("--no-build");
    }
    lab(dir, context, &up).await?;
    let history = dir.root().join("history.ndjson");
    let options = Options {
        length: Duration::from_secs_f64(args.minutes * 60.0),
        rate: args.rate,
        seed: args.seed,
        only: args.only.clone(),
        patience: Duration::from_secs(args.patience),
        history,
    };
    let lab = Lab::load(dir.clone(), context.workspace.clone())?;
    let report = chaos::run(&options, &lab).await?;
    output::say(format_args!("\n{report}"));
    output::say(format_args!(
        "seed {}; every request is in {}",
        options.seed,
        options.history.display()
    ));
    output::say(if report.holds() {
        "every promise held"
    } else {
        "a promise broke"
    });
    Ok(report.holds())
}

/// Another command of this program, for the lab of this run.
async fn lab(dir: &LabDir, context: &Context, arguments: &[&str]) -> Result<(), Error> {
    let program = context.workspace.lab();
    let status = Command::new(program)
        .arg("--dir")
        .arg(dir.root())
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .await
        .map_err(|source| Error::Spawn {
            program: program.to_owned(),
            source,
        })?;
    if status.success() {
        Ok(())
    } else {
        let command = arguments.first().copied().unwrap_or_default();
        Err(chaos::Error::Lab(format!("{command} ended with {status}")).into())
    }
}
