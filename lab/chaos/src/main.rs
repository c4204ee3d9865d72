//! `cargo lab chaos`: runs on a lab of its own, so that nothing else affects the verdict.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use lab_chaos::Options;
use lab_runner::{
    command_line::{self, DirOption, INTERRUPTED},
    lab::Lab,
    output,
    scratch_lab::ScratchLab,
    state::settings::EventRoute,
    workspace::Workspace,
};

/// Directory of the chaos lab, under the lab's own.
const DIR: &str = "chaos";

/// Post payments while faults of all kinds come and go, then prove that none was lost or duplicated
#[derive(Debug, Parser)]
#[command(name = "lab-chaos", bin_name = "cargo lab chaos")]
struct Arguments {
    /// Duration of the faults, in minutes
    #[arg(long, default_value_t = 2.0, value_parser = minutes)]
    minutes: f64,
    /// Payments per second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=5000))]
    rate: u32,
    /// Seed of the payments and of the faults' plan
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How S3 events reach the function
    #[arg(long, value_enum, default_value_t)]
    via: EventRoute,
    /// Run in a VPC and cut off zones at times; without faults of single links
    #[arg(long)]
    vpc: bool,
    /// Faults to inject, such as s3/slow-down or kill/app-a; `none` to switch them by hand [default: all]
    #[arg(long, value_name = "PART/KIND", value_delimiter = ',')]
    only: Vec<String>,
    /// Longest time after the last fault until every part is healthy and every row is there
    #[arg(long, default_value_t = 300, value_name = "SECONDS")]
    patience: u64,
    /// Run the programs as last built, without building
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    dir: DirOption,
}

fn minutes(text: &str) -> Result<f64, String> {
    command_line::number_to(1_440.0, text)
}

fn main() -> ExitCode {
    command_line::run(run)
}

async fn run(args: Arguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let mut up = ScratchLab::BESIDE_OTHERS.to_vec();
    up.push(if args.vpc { "--vpc" } else { "--relay" });
    if args.via == EventRoute::Sqs {
        up.extend(["--via", "sqs"]);
    }
    if args.no_build {
        up.push("--no-build");
    }
    let scratch = ScratchLab::new(DIR, &args.dir.lab_dir(&workspace)?, workspace)?;
    let judged = async |lab: Lab| judge(&args, &lab).await;
    Ok(match scratch.with(&up, judged).await? {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(INTERRUPTED),
    })
}

/// Returns whether every promise held.
async fn judge(args: &Arguments, lab: &Lab) -> Result<bool> {
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
    let report = lab_chaos::run(&options, lab).await?;
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definition_holds_together() {
        Arguments::command().debug_assert();
    }
}
