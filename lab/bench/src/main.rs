//! `cargo lab bench`: measures on a lab of its own, so that nothing else is measured.

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use lab_bench::{Pace, scenario::Scenario};
use lab_runner::{
    command_line::{self, DirOption, INTERRUPTED},
    lab::Lab,
    output,
    scratch_lab::ScratchLab,
    workspace::Workspace,
};

/// Directory of the bench's lab, under the lab's own.
const DIR: &str = "bench";

/// Measure speed and cost against the alternatives
#[derive(Debug, Parser)]
#[command(name = "lab-bench", bin_name = "cargo lab bench")]
struct Arguments {
    /// Scenarios to run [default: all]
    #[arg(value_enum)]
    scenarios: Vec<Scenario>,
    /// Rounds of each measurement; the median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Duration of each measurement, in seconds
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Rows of the grown table in the scenario growth
    #[arg(long, default_value_t = 10_000_000)]
    rows: u64,
    /// Run the programs as last built, without building
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    dir: DirOption,
}

fn main() -> ExitCode {
    command_line::run(run)
}

async fn run(args: Arguments) -> Result<ExitCode> {
    let workspace = Workspace::find()?;
    let pace = Pace {
        rounds: args.rounds,
        length: Duration::from_secs(args.seconds),
        warm_up: Duration::from_secs(args.seconds.div_ceil(4)),
        rows: args.rows,
    };
    let mut up = ScratchLab::BESIDE_OTHERS.to_vec();
    if args.no_build {
        up.push("--no-build");
    }
    let measured = async |lab: Lab| {
        let dir = lab.dir.root().to_owned();
        let report = lab_bench::run(&args.scenarios, pace, lab).await?;
        report.write(&dir)?;
        for table in &report.tables {
            output::say(format_args!("\n{table}"));
        }
        output::say(format_args!("\n{}", report.targets()));
        output::say(format_args!(
            "full report: {}",
            dir.join("bench.html").display()
        ));
        Ok(())
    };
    let scratch = ScratchLab::new(DIR, &args.dir.lab_dir(&workspace)?, workspace)?;
    Ok(match Box::pin(scratch.with(&up, measured)).await? {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(INTERRUPTED),
    })
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
