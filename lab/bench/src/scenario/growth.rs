//! Rows per second into a table that has grown, compared with the table before.

use anyhow::Result;
use lab_runner::database::User;

use super::{ingest::rows_a_second, tell};
use crate::{
    finding::{Figure, Finding, number},
    host::{Function, Host},
    objects::Objects,
    report::Report,
    testbed::Testbed,
};

/// Objects per round.
const OBJECTS: usize = 20;

const COLUMNS: &str = "transaction, amount, currency, status, payer_name, received_at, extra, request_id, \
    content_hash, object_key, object_line";

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let host = Host::start(&Function::ingest(bed)?, bed).await?;
    let objects = Objects::of(bed);
    let small = measure("a small table", &host, &objects, bed).await?;
    let rows = grow(bed).await?;
    let grown = measure("the grown table", &host, &objects, bed).await?;
    host.end().await;
    let what = format!("ingest at {} rows", number(rows));
    report.add(Finding::times(&what, grown, small, 0.8));
    Ok(())
}

async fn measure(name: &str, host: &Host, objects: &Objects, bed: &Testbed) -> Result<Figure> {
    rows_a_second(host, objects, OBJECTS).await?;
    let mut rounds = Vec::new();
    for _ in 0..bed.pace.rounds {
        let rate = rows_a_second(host, objects, OBJECTS).await?;
        tell(name, format!("{} rows/s", number(rate)));
        rounds.push(rate);
    }
    Ok(Figure::new(name, "rows/s", rounds))
}

/// Doubles the table until it has as many rows as wanted; returns how many it has.
async fn grow(bed: &Testbed) -> Result<f64> {
    let count = "SELECT COUNT(*) FROM transactions";
    let wanted = bed.pace.rows.to_string().parse().unwrap_or(f64::MAX);
    let writer = bed.lab.database()?.client(User::Ingest);
    for doubling in 0.. {
        let rows = bed.number(count).await?;
        if rows >= wanted {
            break;
        }
        tell("growing", format!("{} rows", number(rows)));
        let missing = wanted - rows;
        // Their ids sort before all ids made from now on, as after a year of payments.
        let copies = format!(
            "INSERT INTO payments.transactions (payment_id, {COLUMNS}) \
             SELECT CONCAT('tx_00', LPAD(HEX(id), 16, '0'), LPAD({doubling}, 16, '0')), {COLUMNS} \
             FROM payments.transactions LIMIT {missing:.0}"
        );
        writer.query(&copies).await?;
    }
    bed.number(count).await
}
