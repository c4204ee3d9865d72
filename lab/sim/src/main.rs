//! Runs seeds of the simulation: one with its trace, or many.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use sim::many::{Summary, run_all};
use sim::{Options, Report, run};

/// Simulate the pipeline under faults drawn from seeds. Exit status 1: a promise was broken
#[derive(Parser)]
struct Args {
    /// Run only this seed, and print its trace
    #[arg(long, conflicts_with_all = ["seeds", "from"])]
    seed: Option<u64>,
    /// Number of seeds to run
    #[arg(long, default_value_t = 1000)]
    seeds: u64,
    /// First seed to run
    #[arg(long, default_value_t = 0)]
    from: u64,
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let broken = match args.seed {
        Some(seed) => {
            let report = run(Options {
                seed,
                traced: true,
                defect: None,
            })?;
            show(&report)?;
            !report.holds()
        }
        None => many(args.from, args.seeds)?.broken.is_some(),
    };
    Ok(ExitCode::from(u8::from(broken)))
}

fn many(from: u64, count: u64) -> io::Result<Summary> {
    let began = Instant::now();
    let summary = run_all(from..from.saturating_add(count), None)?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", summary.faults)?;
    writeln!(
        out,
        "{} seeds in {:.1} s: {} accepted, {} rows, {} conflicts",
        summary.runs,
        began.elapsed().as_secs_f32(),
        summary.acknowledged,
        summary.rows,
        summary.conflict_rows
    )?;
    if let Some(report) = &summary.broken {
        writeln!(
            out,
            "\n{}\nbroken; to see it again: cargo run --release --bin sim -- --seed {}",
            report.verdict, report.seed
        )?;
        let more = report.left_out.iter().chain(&report.proof.broken);
        more.into_iter()
            .try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(summary)
}

fn show(report: &Report) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in report
        .trace
        .iter()
        .chain(&report.left_out)
        .chain(&report.proof.broken)
    {
        writeln!(out, "{line}")?;
    }
    writeln!(out, "\n{}", report.verdict)?;
    writeln!(
        out,
        "seed {}: {} s by its own clock",
        report.seed,
        report.took.as_secs()
    )
}
