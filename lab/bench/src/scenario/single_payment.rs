//! A single payment: the latency that both tiers add to S3's own PUT, on an idle system and at a steady rate.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use lab_runner::part::PartName;
use tokio::time::{Instant, interval};

use super::tell;
use crate::{
    NO_ANSWER,
    finding::{Figure, Finding, number},
    load::Load,
    objects::Objects,
    report::Report,
    testbed::Testbed,
};

/// Payments per round.
const PAYMENTS: usize = 500;

/// Pause from one payment to the next at a steady rate.
const APART: Duration = Duration::from_millis(10);

/// Most that the tiers may add, in milliseconds.
const LIMIT: f64 = 1.0;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let web = bed.web_tier(&bed.lab.url(PartName::AppA)).await?;
    let load = bed.pace.load(format!("{}/pay", web.url()), 1);
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .context(NO_ANSWER)?;
    let objects = Objects::of(bed);
    let (mut idle, mut steady) = (Added::default(), Added::default());
    for _ in 0..bed.pace.rounds {
        let (mut of_s3, mut of_pay) = (Vec::new(), Vec::new());
        // Interleaved, so that variations of the machine affect both.
        for _ in 0..PAYMENTS {
            of_s3.push(objects.time_one().await?);
            of_pay.push(pay(&client, &load).await?);
        }
        idle.add("alone, p50", 50, of_s3, of_pay);

        let (mut of_s3, mut of_pay) = (Vec::new(), Vec::new());
        let mut turns = interval(APART / 2);
        for _ in 0..PAYMENTS {
            let due = turns.tick().await;
            objects.time_one().await?;
            of_s3.push(ms(due));
            let due = turns.tick().await;
            pay(&client, &load).await?;
            of_pay.push(ms(due));
        }
        steady.add("at 100/s, p99", 99, of_s3, of_pay);
    }
    web.end().await;
    report.add(idle.finding("a single payment: time that both tiers add to S3's PUT"));
    report.add(steady.finding("at 100 payments/s: p99 that both tiers add to S3's PUT"));
    Ok(())
}

/// Latencies of S3's PUT and of payments, round by round, in milliseconds.
#[derive(Default)]
struct Added {
    added: Vec<f64>,
    puts: Vec<f64>,
}

impl Added {
    fn add(&mut self, what: &str, percent: usize, of_s3: Vec<f64>, of_pay: Vec<f64>) {
        let [put, pay] = [of_s3, of_pay].map(|all| percentile(all, percent));
        tell(
            what,
            format!("PUT {} ms, payment {} ms", number(put), number(pay)),
        );
        self.added.push(pay - put);
        self.puts.push(put);
    }

    fn finding(self, what: &str) -> Finding {
        let added = Figure::new("added", "ms", self.added);
        let mut finding = Finding::at_most(what, added, LIMIT);
        finding
            .figures
            .push(Figure::new("S3's PUT", "ms", self.puts));
        finding
    }
}

fn percentile(mut all: Vec<f64>, percent: usize) -> f64 {
    all.sort_by(f64::total_cmp);
    let place = all.len() * percent / 100;
    all.get(place).copied().unwrap_or(f64::NAN)
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

async fn pay(client: &reqwest::Client, load: &Load) -> Result<f64> {
    let asked = Instant::now();
    let answer = load.one(client).send().await.context(NO_ANSWER)?;
    let status = answer.status();
    answer.bytes().await.context(NO_ANSWER)?;
    let took = ms(asked);
    ensure!(status.as_u16() == 202, "a payment was answered {status}");
    Ok(took)
}
