//! `cargo lab chaos`: on a lab of its own, so that nothing else is in the verdict.

use std::{process::ExitCode, time::Duration};

use super::{
    Context, Error, INTERRUPTED,
    apart::{ASIDE, Apart},
};
use crate::{
    chaos::{self, Options},
    cli,
    lab::Lab,
    output,
    state::settings::Via,
};

/// Under the lab's own directory.
const DIR: &str = "chaos";

pub(super) async fn run(args: &cli::Chaos, context: &Context) -> Result<ExitCode, Error> {
    let mut up = ASIDE.to_vec();
    up.push(if args.vpc { "--vpc" } else { "--relay" });
    if args.via == Via::Sqs {
        up.extend(["--via", "sqs"]);
    }
    if args.no_build {
        up.push("--no-build");
    }
    let judged = async |lab: Lab| judge(args, &lab).await;
    Ok(match Apart::at(DIR, context)?.with(&up, judged).await? {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(INTERRUPTED),
    })
}

/// Whether every promise held.
async fn judge(args: &cli::Chaos, lab: &Lab) -> Result<bool, Error> {
    let history = lab.dir.root().join("history.ndjson");
    let options = Options {
        length: Duration::from_secs_f64(args.minutes * 60.0),
        rate: args.rate,
        seed: args.seed,
        only: args.only.clone(),
        zones: lab
            .vpc
            .as_ref()
            .map(|vpc| vpc.network.zones())
            .unwrap_or_default(),
        patience: Duration::from_secs(args.patience),
        history,
    };
    let report = chaos::run(&options, lab).await?;
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
