//! Lag from the answer to the row, at a steady rate, with S3 as slow as on AWS.
//!
//! Both timestamps are in the row: from `received_at`, which the app tier sets before it puts the payment into S3, to
//! `recorded_at`. That is longer than the time from the answer, by one PUT.

use anyhow::Result;
use lab_runner::part::PartName;

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    report::{Report, Table},
    testbed::Testbed,
};

const RATE: u32 = 2_000;

/// More connections than there are requests in flight: the load must not wait for a connection.
const CONNECTIONS: u32 = 512;

/// Latencies of S3, in milliseconds.
const S3: [u64; 3] = [0, 25, 100];

/// The S3 latency that the target is about, and the target.
const TARGET_S3: u64 = 25;
const TARGET_MS: f64 = 500.0;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let web = bed.web_tier(&bed.lab.url(PartName::AppA)).await?;
    let url = format!("{}/pay", web.url());
    let mut table = Table::new(
        "From the answer to the row, at 2,000 payments/s",
        &[
            "S3, ms",
            "answer p50 ms",
            "answer p99 ms",
            "row p50 ms",
            "row p99 ms",
            "payments per object",
        ],
    );
    for s3 in S3 {
        let mut answers = Vec::new();
        let mut rows = Vec::new();
        for _ in 0..bed.pace.rounds {
            bed.s3_latency(s3).await?;
            let since = bed.sql("SELECT UTC_TIMESTAMP(6)").await?;
            answers.push(bed.steady(&url, CONNECTIONS, RATE).await?);
            bed.until_ingested().await?;
            rows.push(Rows::since(&since, bed).await?);
        }
        let median = |pick: &dyn Fn(usize) -> f64| {
            Figure::new("web-tier to row", "ms", (0..rows.len()).map(pick).collect())
        };
        let p99 = median(&|round| rows[round].p99);
        tell(
            &format!("S3 at {s3} ms"),
            format!("row p99 {} ms", number(p99.median())),
        );
        table.row([
            s3.to_string(),
            number(median(&|round| answers[round].percentile(50.0)).median()),
            number(median(&|round| answers[round].percentile(99.0)).median()),
            number(median(&|round| rows[round].p50).median()),
            number(p99.median()),
            number(median(&|round| rows[round].an_object).median()),
        ]);
        if s3 == TARGET_S3 {
            let what = "lag from answer to row, p99, at 2,000 payments/s, S3 at 25 ms";
            report.add(Finding::at_most(what, p99, TARGET_MS));
        }
    }
    bed.s3_latency(0).await?;
    web.end().await;
    report.table(table);
    Ok(())
}

/// The rows of one round.
struct Rows {
    p50: f64,
    p99: f64,
    an_object: f64,
}

impl Rows {
    async fn since(moment: &str, bed: &Testbed) -> Result<Self> {
        let count = bed
            .number(&format!(
                "SELECT COUNT(*) FROM transactions WHERE received_at >= '{moment}'"
            ))
            .await?;
        let objects = format!(
            "SELECT COUNT(DISTINCT object_key) FROM transactions WHERE received_at >= '{moment}'"
        );
        Ok(Self {
            p50: percentile(bed, moment, count, 0.5).await?,
            p99: percentile(bed, moment, count, 0.99).await?,
            an_object: count / bed.number(&objects).await?,
        })
    }
}

async fn percentile(bed: &Testbed, moment: &str, count: f64, share: f64) -> Result<f64> {
    let place = (count * share).floor();
    let microseconds = bed
        .number(&format!(
            "SELECT TIMESTAMPDIFF(MICROSECOND, received_at, recorded_at) AS lag FROM transactions \
             WHERE received_at >= '{moment}' ORDER BY lag LIMIT 1 OFFSET {place}"
        ))
        .await?;
    Ok(microseconds / 1000.0)
}
