//! Payments in batches through both tiers, compared with single ones: how many per second, and the CPU time of each.

use anyhow::Result;
use lab_runner::server::Server;

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    load::Load,
    report::Report,
    testbed::Testbed,
};

const PAYMENTS: u32 = 100;

/// Connections that bring single payments, and those that bring batches.
const SINGLE_CONNECTIONS: u32 = 256;
const BATCH_CONNECTIONS: u32 = 16;

/// Figures of one side, round by round.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    microseconds: Vec<f64>,
}

impl Side {
    async fn measure(
        &mut self,
        name: &str,
        tiers: &[Server; 2],
        load: &Load,
        bed: &Testbed,
    ) -> Result<()> {
        let [web, app] = tiers;
        let (outcome, microseconds) = bed.most_and_cpu(&[web, app], load).await?;
        let rate = load.payments_a_second(&outcome);
        let shown = format!(
            "{} payments/s, {} µs each, p99 {} ms",
            number(rate),
            number(microseconds),
            number(outcome.percentile(99.0))
        );
        tell(name, shown);
        self.rates.push(rate);
        self.microseconds.push(microseconds);
        Ok(())
    }
}

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let app = bed.app_tier(&[]).await?;
    let web = bed.web_tier(&app.url()).await?;
    let url = format!("{}/pay", web.url());
    let tiers = [web, app];
    let single = bed.pace.load(url.clone(), SINGLE_CONNECTIONS);
    let batch = Load {
        batch: Some(PAYMENTS),
        ..bed.pace.load(url, BATCH_CONNECTIONS)
    };
    let (mut singles, mut batches) = (Side::default(), Side::default());
    for _ in 0..bed.pace.rounds {
        singles
            .measure("single payments", &tiers, &single, bed)
            .await?;
        batches
            .measure("batches of 100", &tiers, &batch, bed)
            .await?;
    }
    for tier in tiers {
        tier.end().await;
    }
    report.add(Finding::times(
        "accepted payments/s in batches of 100, through both tiers",
        Figure::new("batches of 100", "payments/s", batches.rates),
        Figure::new("single payments", "payments/s", singles.rates),
        5.0,
    ));
    let unit = "µs of CPU";
    let each = Figure::new("batches of 100", unit, batches.microseconds);
    let mut finding =
        Finding::at_most("CPU of both tiers per payment in batches of 100", each, 6.0);
    let single = Figure::new("single payments", unit, singles.microseconds);
    finding.figures.push(single);
    report.add(finding);
    Ok(())
}
