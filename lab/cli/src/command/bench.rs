//! `cargo lab bench`: on a lab of its own, so that nothing else is measured.

use std::{process::ExitCode, time::Duration};

use super::{
    Context, Error, INTERRUPTED,
    apart::{ASIDE, Apart},
};
use crate::{
    bench::{self, Pace},
    cli,
    lab::Lab,
    output,
};

/// Under the lab's own directory.
const DIR: &str = "bench";

pub(super) async fn run(args: &cli::Bench, context: &Context) -> Result<ExitCode, Error> {
    let pace = Pace {
        rounds: args.rounds,
        length: Duration::from_secs(args.seconds),
        warm_up: Duration::from_secs(args.seconds.div_ceil(4)),
        rows: args.rows,
    };
    let mut up = ASIDE.to_vec();
    if args.no_build {
        up.push("--no-build");
    }
    let measured = async |lab: Lab| {
        let dir = lab.dir.root().to_owned();
        let report = bench::run(&args.scenarios, pace, lab).await?;
        report.write(&dir)?;
        for table in &report.tables {
            output::say(format_args!("\n{table}"));
        }
        output::say(format_args!("\n{}", report.targets()));
        output::say(format_args!(
            "the whole of it: {}",
            dir.join("bench.html").display()
        ));
        Ok(())
    };
    Ok(match Apart::at(DIR, context)?.with(&up, measured).await? {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::from(INTERRUPTED),
    })
}
