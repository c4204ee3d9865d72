//! Accepted payments: how many per second, and how long each takes.
//!
//! The function gets no events meanwhile, on either side: the measurement covers the path to the durable answer. Rates
//! are compared with an S3 that costs next to nothing, so that the tiers are the limit; latencies with the lab's.

use anyhow::Result;
use lab_runner::{part::PartName, server::Server};

use super::{side::Side, tell};
use crate::{
    finding::{Figure, Finding, number},
    load::{Body, Load, Outcome},
    peer::{Peer, Stack, neutral_s3},
    report::{Curve, Report, Table},
    testbed::Testbed,
};

/// Connections of the comparison.
const CONNECTIONS: u32 = 256;

/// Connections that should cost no more than these.
const MANY: u32 = 1024;

/// Connections of the latency curve.
const LADDER: [u32; 6] = [1, 4, 16, 64, 256, 1024];

/// Payments per second at which latencies are compared: what the slowest side can still handle.
const STEADY: u32 = 100;
const STEADY_CONNECTIONS: u32 = 32;

const OURS: &str = "web-tier and app-tier";
const DEPLOYED: &str = "Node and Flask, as deployed";
const TUNED: &str = "Node and Flask, tuned";

/// Both tiers and what they are compared with, in front of one S3.
struct Sides {
    app: Server,
    web: Server,
    deployed: Stack,
    tuned: Stack,
}

impl Sides {
    async fn start(s3: &str, bed: &Testbed) -> Result<Self> {
        let app = bed.app_tier(&[("AWS_ENDPOINT_URL_S3", s3)]).await?;
        Ok(Self {
            web: bed.web_tier(&app.url()).await?,
            app,
            deployed: Stack::start(Peer::NodeAndFlask, s3, bed).await?,
            tuned: Stack::start(Peer::NodeAndFlaskTuned, s3, bed).await?,
        })
    }

    fn pay(&self) -> String {
        format!("{}/pay", self.web.url())
    }

    fn peers(&self) -> [(&'static str, String); 2] {
        [(DEPLOYED, &self.deployed), (TUNED, &self.tuned)]
            .map(|(name, stack)| (name, format!("{}/pay", stack.url())))
    }

    async fn end(self) {
        self.web.end().await;
        self.app.end().await;
        self.deployed.end().await;
        self.tuned.end().await;
    }
}

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let s3 = neutral_s3(bed).await?;
    let sides = Sides::start(&s3.url(), bed).await?;
    most(&sides, bed, report).await?;
    ids(&sides, bed, report).await?;
    sides.end().await;
    s3.end().await;

    let sides = Sides::start(&bed.lab.url(PartName::S3), bed).await?;
    steady(&sides, bed, report).await?;
    sides.end().await;
    climb(bed, report).await
}

/// What both tiers accept, and what it costs.
async fn most(sides: &Sides, bed: &Testbed, report: &mut Report) -> Result<()> {
    let (mut ours, mut many) = (Side::new(OURS), Vec::new());
    let mut theirs = [Vec::new(), Vec::new()];
    let load = bed.pace.load(sides.pay(), CONNECTIONS);
    for _ in 0..bed.pace.rounds {
        ours.measure(&[&sides.web, &sides.app], &load, bed).await?;
        let outcome = bed.most(&sides.pay(), MANY).await?;
        tell(&format!("{OURS}, {MANY} connections"), shown(&outcome));
        many.push(outcome.rate);
        for (rates, (name, url)) in theirs.iter_mut().zip(sides.peers()) {
            let outcome = bed.most(&url, CONNECTIONS).await?;
            tell(name, shown(&outcome));
            rates.push(outcome.rate);
        }
    }
    let rates = |name: &str, rates| Figure::new(name, "payments/s", rates);
    let [ours, each] = ours.figures();
    let [deployed, tuned] = theirs;
    let what = "accepted payments/s through both tiers, 256 connections, neutral S3";
    let deployed = rates(DEPLOYED, deployed);
    report.add(Finding::times(what, ours.clone(), deployed, 100.0));
    let tuned = rates(TUNED, tuned);
    report.add(Finding::times(what, ours.clone(), tuned, 60.0));
    let what = "accepted payments/s at 1,024 connections";
    let few = Figure {
        name: "with 256".to_owned(),
        ..ours
    };
    report.add(Finding::times(what, rates("1,024", many), few, 0.95));
    let what = "CPU of both tiers per payment, 256 connections";
    report.add(Finding::at_most(what, each, 40.0));
    Ok(())
}

/// Whether ids as clients make them cost more than those of the web tier.
async fn ids(sides: &Sides, bed: &Testbed, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Accepted payments by ids",
        &["ids", "payments/s", "µs of CPU"],
    );
    for (name, body) in [
        ("made by the web tier", Body::Payment),
        ("UUIDs of the client", Body::Uuid),
        ("prefix and number of the client", Body::Numbered),
    ] {
        let load = Load {
            body,
            ..bed.pace.load(sides.pay(), CONNECTIONS)
        };
        let (outcome, cpu) = bed.most_and_cpu(&[&sides.web, &sides.app], &load).await?;
        tell(
            name,
            format!("{}, {} µs each", shown(&outcome), number(cpu)),
        );
        table.row([name.to_owned(), number(outcome.rate), number(cpu)]);
    }
    report.table(table);
    Ok(())
}

/// Latencies at a rate that all sides handle.
async fn steady(sides: &Sides, bed: &Testbed, report: &mut Report) -> Result<()> {
    let [deployed, tuned] = sides.peers();
    let mut measured = [(OURS, sides.pay()), deployed, tuned]
        .map(|(name, url)| (name, url, Vec::<Outcome>::new()));
    for _ in 0..bed.pace.rounds {
        for (name, url, outcomes) in &mut measured {
            let outcome = bed.steady(url, STEADY_CONNECTIONS, STEADY).await?;
            let p99 = number(outcome.percentile(99.0));
            tell(name, format!("at {STEADY}/s p99 {p99} ms"));
            outcomes.push(outcome);
        }
    }
    let lines = measured
        .iter()
        .filter_map(|(name, _, outcomes)| Some((*name, outcomes.last()?)));
    report.curve(Curve::of("Latency at a steady 100 payments/s", lines));
    let [ours, deployed, tuned] = measured.map(|(name, _, outcomes)| {
        let rounds = outcomes.iter().map(|outcome| outcome.percentile(99.0));
        Figure::new(name, "ms", rounds.collect())
    });
    let what = "p99 at a steady 100 payments/s";
    report.add(Finding::share(what, ours.clone(), deployed, 0.1));
    report.add(Finding::share(what, ours, tuned, 0.1));
    Ok(())
}

/// Measures the pipeline alone, with more and more connections.
async fn climb(bed: &Testbed, report: &mut Report) -> Result<()> {
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
                shown(&outcome),
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

fn shown(outcome: &Outcome) -> String {
    let p99 = number(outcome.percentile(99.0));
    format!("{} payments/s, p99 {p99} ms", number(outcome.rate))
}
