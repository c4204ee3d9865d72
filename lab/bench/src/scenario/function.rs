//! A cold start of the function: from its event to its first committed row.

use anyhow::Result;

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    host::{Function, Host},
    objects::Objects,
    peer,
    report::Report,
    testbed::Testbed,
};

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let objects = Objects::of(bed);
    let ours = Function::ingest(bed)?;
    let python = peer::python_function(bed)?;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..bed.pace.rounds {
        times[0].push(first_row(&ours, &objects.put(1).await?, bed).await?);
        times[1].push(first_row(&python, &objects.put_plain().await?, bed).await?);
    }
    let [ours, theirs] = times;
    report.add(Finding::share(
        "function: process start to first committed row, warm database",
        Figure::new("lambda-ingest", "ms", ours),
        Figure::new("Python's function", "ms", theirs),
        0.05,
    ));
    Ok(())
}

/// Returns milliseconds. The host is new, so the call starts the function's process.
async fn first_row(function: &Function, key: &str, bed: &Testbed) -> Result<f64> {
    let host = Host::start(function, bed).await?;
    let took = host.ingest(key).await;
    host.end().await;
    let ms = took?.as_secs_f64() * 1000.0;
    tell(function.name, format!("{} ms", number(ms)));
    Ok(ms)
}
