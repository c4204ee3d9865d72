//! Accepted payments: how many per second, and how long each takes.
//!
//! The function gets no events meanwhile, on either side: the measurement covers the path to the durable answer.

use lab_runner::part::PartName;

use super::{super::load::Outcome, Error, tell};
use crate::{
    finding::{Figure, Finding, number},
    peer::{Peer, Stack},
    report::{Curve, Report, Table},
    testbed::Testbed,
};

/// Connections of the comparison.
const CONNECTIONS: u32 = 256;

/// Connections of the latency curve.
const LADDER: [u32; 6] = [1, 4, 16, 64, 256, 1024];

/// Payments per second at which latencies are compared: what the slowest side can still handle.
const STEADY: u32 = 100;
const STEADY_CONNECTIONS: u32 = 32;

/// One side of the comparison.
struct Side {
    name: &'static str,
    url: String,
    most: Vec<Outcome>,
    steady: Vec<Outcome>,
}

impl Side {
    fn new(name: &'static str, origin: &str) -> Self {
        Self {
            name,
            url: format!("{origin}/pay"),
            most: Vec::new(),
            steady: Vec::new(),
        }
    }

    fn rate(&self) -> Figure {
        Figure::new(
            self.name,
            "payments/s",
            self.most.iter().map(|o| o.rate).collect(),
        )
    }

    fn p99(&self) -> Figure {
        let rounds = self.steady.iter().map(|o| o.percentile(99.0)).collect();
        Figure::new(self.name, "ms", rounds)
    }
}

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<(), Error> {
    compare(bed, report).await?;
    climb(bed, report).await
}

async fn compare(bed: &Testbed, report: &mut Report) -> Result<(), Error> {
    let web = bed.web_tier(&bed.lab.url(PartName::AppA)).await?;
    let deployed = Stack::start(Peer::NodeAndFlask, bed).await?;
    let tuned = Stack::start(Peer::NodeAndFlaskTuned, bed).await?;
    let mut sides = [
        Side::new("web-tier and app-tier", &web.url()),
        Side::new("Node and Flask, as deployed", &deployed.url()),
        Side::new("Node and Flask, tuned", &tuned.url()),
    ];
    for _ in 0..bed.pace.rounds {
        for side in &mut sides {
            let most = bed.most(&side.url, CONNECTIONS).await?;
            let steady = bed.steady(&side.url, STEADY_CONNECTIONS, STEADY).await?;
            let shown = format!(
                "{} payments/s, p99 {} ms; at {STEADY}/s p99 {} ms",
                number(most.rate),
                number(most.percentile(99.0)),
                number(steady.percentile(99.0))
            );
            tell(side.name, shown);
            side.most.push(most);
            side.steady.push(steady);
        }
    }
    web.end().await;
    deployed.end().await;
    tuned.end().await;

    let [ours, deployed, tuned] = &sides;
    let what = "accepted payments/s through both tiers to durable S3, 256 connections";
    report.add(Finding::times(what, ours.rate(), deployed.rate(), 100.0));
    report.add(Finding::times(what, ours.rate(), tuned.rate(), 50.0));
    let what = "p99 at a steady 100 payments/s";
    report.add(Finding::share(what, ours.p99(), deployed.p99(), 0.1));
    report.add(Finding::share(what, ours.p99(), tuned.p99(), 0.1));
    let lines = sides
        .iter()
        .filter_map(|side| Some((side.name, side.steady.last()?)));
    report.curve(Curve::of("Latency at a steady 100 payments/s", lines));
    Ok(())
}

/// Measures the pipeline alone, with more and more connections.
async fn climb(bed: &Testbed, report: &mut Report) -> Result<(), Error> {
    let web = bed.web_tier(&bed.lab.url(PartName::AppA)).await?;
    let ways = [
        (
            "app tier",
            format!("{}/process", bed.lab.url(PartName::AppA)),
        ),
        ("web and app tier", format!("{}/pay", web.url())),
        (
            "both load balancers",
            format!("{}/pay", bed.lab.url(PartName::Alb)),
        ),
    ];
    let mut table = Table::new(
        "Accepted payments by connections",
        &["way", "connections", "payments/s", "p50 ms", "p99 ms"],
    );
    for (way, url) in &ways {
        for connections in LADDER {
            let outcome = bed.most(url, connections).await?;
            tell(
                &format!("{way}, {connections} connections"),
                format!("{} payments/s", number(outcome.rate)),
            );
            table.row([
                (*way).to_owned(),
                connections.to_string(),
                number(outcome.rate),
                number(outcome.percentile(50.0)),
                number(outcome.percentile(99.0)),
            ]);
        }
    }
    web.end().await;
    report.table(table);
    Ok(())
}
