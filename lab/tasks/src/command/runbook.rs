//! `cargo lab runbook`: runs the pages of `deploy-notes` against a simulated AWS.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;
use lab_runner::{
    build, command_line::INTERRUPTED, output, shutdown::Shutdown, workspace::Workspace,
};

use crate::notes::Runbook as Notes;

#[derive(Debug, Args)]
pub struct Runbook {
    /// Stop after this page
    #[arg(long, value_name = "N")]
    pub page: Option<u8>,
    /// Skip the tear-down, and keep the simulated AWS running until Ctrl-C
    #[arg(long)]
    pub keep: bool,
}

pub async fn run(args: &Runbook, workspace: &Workspace) -> Result<ExitCode> {
    let mut shutdown = Shutdown::listen(None).context("cannot listen for signals")?;
    // Its doctor checks what the pages created.
    build::if_missing(workspace, build::OPERATOR_TOOL).await?;
    let runbook = Notes::prepare(workspace).await?;
    let tear_down = runbook.tear_down();
    let all = if args.keep { tear_down - 1 } else { tear_down };
    let last = args.page.unwrap_or(all).min(all);
    let outcome = tokio::select! {
        outcome = runbook.run(0..=last) => outcome,
        _ = shutdown.wait() => {
            runbook.end().await;
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    if args.keep {
        if let Err(error) = &outcome {
            output::error(error.as_ref());
        }
        output::say(format_args!(
            "the simulated AWS runs until Ctrl-C: AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing \
             aws --region us-west-2 --endpoint-url {} …",
            runbook.account().url()
        ));
        shutdown.wait().await;
    } else if outcome.is_ok() {
        output::say("for a person alone:");
        for block in runbook.by_hand() {
            output::say(format_args!("  {block}"));
        }
    }
    runbook.end().await;
    outcome?;
    Ok(ExitCode::SUCCESS)
}
