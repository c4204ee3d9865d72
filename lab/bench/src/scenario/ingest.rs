//! From object to committed rows, compared with other ways to insert the same rows into the same table.

use std::time::Duration;

use anyhow::Result;

use super::tell;
use crate::{
    finding::{Figure, Finding, a_second, number},
    host::{Function, Host},
    objects::Objects,
    peer,
    report::Report,
    testbed::Testbed,
};

/// Payments per object: the most that the app tier puts into one.
pub const PAYMENTS: usize = 1_000;

/// Objects per round.
const OBJECTS: usize = 20;

/// Messages per event: the most that SQS batches without a window.
const BATCH: usize = 10;

/// Events of one payment each, per round.
const EVENTS: usize = 100;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let function = Host::start(&Function::ingest(bed)?, bed).await?;
    let python = Host::start(&peer::python_function(bed)?, bed).await?;
    let objects = Objects::of(bed);
    // After this, both functions run and have their database connections.
    function.ingest(&objects.put(1).await?).await?;
    python.ingest(&objects.put_plain().await?).await?;

    let mut rates = [const { Vec::new() }; 5];
    for _ in 0..bed.pace.rounds {
        let ours = rows_a_second(&function, &objects, OBJECTS).await?;
        let batches = rows_a_second_by_queue(&function, &objects).await?;
        let load_data = peer::sql::load_data(bed, OBJECTS, PAYMENTS).await?;
        let at_once = peer::sql::load_data(bed, 1, OBJECTS * PAYMENTS).await?;
        let row_by_row = events_a_second(&python, &objects).await?;
        for (index, (name, rate)) in [
            ("lambda-ingest, one object per event", ours),
            ("lambda-ingest, ten objects per event", batches),
            ("LOAD DATA, one object each", load_data),
            ("LOAD DATA, all at once", at_once),
            ("Python, one row per event", row_by_row),
        ]
        .into_iter()
        .enumerate()
        {
            tell(name, format!("{} rows/s", number(rate)));
            rates[index].push(rate);
        }
    }
    function.end().await;
    python.end().await;

    let [ours, batches, load_data, at_once, row_by_row] = rates;
    let ours = Figure::new("one object per event", "rows/s", ours);
    let batches = Figure::new("ten objects per event, by SQS", "rows/s", batches);
    let load_data = Figure::new("LOAD DATA, one object each", "rows/s", load_data);
    let at_once = Figure::new("LOAD DATA, all at once", "rows/s", at_once);
    let row_by_row = Figure::new("Python, one row per event", "rows/s", row_by_row);
    let what = "ingest, rows/s from object to committed row";
    report.add(Finding::times(
        what,
        batches.clone(),
        load_data.clone(),
        0.9,
    ));
    report.add(Finding::times(what, batches, at_once, 0.9));
    report.add(Finding::times(what, ours.clone(), load_data, 0.8));
    report.add(Finding::times(what, ours, row_by_row, 1_000.0));
    Ok(())
}

/// Measures from the first event to the last answer, one object after the other.
pub async fn rows_a_second(host: &Host, objects: &Objects, count: usize) -> Result<f64> {
    let mut keys = Vec::with_capacity(count);
    for _ in 0..count {
        keys.push(objects.put(PAYMENTS).await?);
    }
    let mut took = Duration::ZERO;
    for key in keys {
        took += host.ingest(&key).await?;
    }
    Ok(a_second(PAYMENTS * count, took))
}

/// Measures the same objects, delivered as queue messages.
async fn rows_a_second_by_queue(host: &Host, objects: &Objects) -> Result<f64> {
    let mut took = Duration::ZERO;
    for _ in 0..OBJECTS / BATCH {
        let mut keys = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            keys.push(objects.put(PAYMENTS).await?);
        }
        took += host.ingest_batch(&keys).await?;
    }
    Ok(a_second(PAYMENTS * OBJECTS, took))
}

async fn events_a_second(host: &Host, objects: &Objects) -> Result<f64> {
    let mut took = Duration::ZERO;
    for _ in 0..EVENTS {
        took += host.ingest(&objects.put_plain().await?).await?;
    }
    Ok(a_second(EVENTS, took))
}
