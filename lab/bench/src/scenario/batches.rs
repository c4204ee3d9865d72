//! Payments in batches through both tiers, compared with single ones: how many per second, and the CPU time of each.

use anyhow::Result;

use super::side::Side;
use crate::{
    finding::Finding,
    load::{Body, Load},
    report::Report,
    testbed::Testbed,
};

/// Connections that bring single payments, and those that bring batches.
const SINGLE_CONNECTIONS: u32 = 256;
const BATCH_CONNECTIONS: u32 = 16;

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let app = bed.app_tier(&[]).await?;
    let web = bed.web_tier(&app.url()).await?;
    let url = format!("{}/pay", web.url());
    let single = bed.pace.load(url.clone(), SINGLE_CONNECTIONS);
    let batch = Load {
        body: Body::Batch(100),
        ..bed.pace.load(url, BATCH_CONNECTIONS)
    };
    let mut singles = Side::new("single payments");
    let mut batches = Side::new("batches of 100");
    for _ in 0..bed.pace.rounds {
        singles.measure(&[&web, &app], &single, bed).await?;
        batches.measure(&[&web, &app], &batch, bed).await?;
    }
    web.end().await;
    app.end().await;
    let [single_rate, single_each] = singles.figures();
    let [rate, each] = batches.figures();
    let what = "accepted payments/s in batches of 100, through both tiers";
    report.add(Finding::times(what, rate, single_rate, 5.0));
    let what = "CPU of both tiers per payment in batches of 100";
    let mut finding = Finding::at_most(what, each, 6.0);
    finding.figures.push(single_each);
    report.add(finding);
    Ok(())
}
