//! The app tier by itself: throughput and CPU time, compared with Vector if it is installed.

use anyhow::Result;
use lab_runner::{install, server::Server};

use super::tell;
use crate::{
    finding::{Figure, Finding, number},
    peer::Stack,
    report::Report,
    testbed::Testbed,
};

const CONNECTIONS: u32 = 256;

const RATE: &str = "app-tier, accepted/s, compared with Vector";
const PROCESSOR: &str = "app-tier, CPU per payment, compared with Vector";

/// Figures of one side, round by round.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    microseconds: Vec<f64>,
}

impl Side {
    async fn measure(&mut self, server: &Server, bed: &Testbed) -> Result<()> {
        let load = bed
            .pace
            .load(format!("{}/process", server.url()), CONNECTIONS);
        let (outcome, microseconds) = bed.most_and_cpu(&[server], &load).await?;
        let shown = format!(
            "{} payments/s, {} µs each",
            number(outcome.rate),
            number(microseconds)
        );
        tell(server.name(), shown);
        self.rates.push(outcome.rate);
        self.microseconds.push(microseconds);
        Ok(())
    }

    fn figures(self, name: &str) -> [Figure; 2] {
        [
            Figure::new(name, "payments/s", self.rates),
            Figure::new(name, "µs of CPU", self.microseconds),
        ]
    }
}

pub async fn run(bed: &Testbed, report: &mut Report) -> Result<()> {
    let app = bed.app_tier(&[]).await?;
    let vector = match install::find("vector") {
        Some(program) => Some(Stack::vector(program, bed).await?),
        None => None,
    };
    let (mut ours, mut theirs) = (Side::default(), Side::default());
    for _ in 0..bed.pace.rounds {
        ours.measure(&app, bed).await?;
        if let Some(vector) = &vector {
            theirs.measure(vector, bed).await?;
        }
    }
    app.end().await;
    let [rate, processor] = ours.figures("app-tier");
    let Some(vector) = vector else {
        let why = "no vector on this machine";
        report.add(Finding::not_measured(RATE, "2 × Vector", why, vec![rate]));
        report.add(Finding::not_measured(
            PROCESSOR,
            "0.5 × Vector",
            why,
            vec![processor],
        ));
        return Ok(());
    };
    vector.end().await;
    let [their_rate, their_processor] = theirs.figures("Vector");
    report.add(Finding::times(RATE, rate, their_rate, 2.0));
    report.add(Finding::share(PROCESSOR, processor, their_processor, 0.5));
    Ok(())
}
