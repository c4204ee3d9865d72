//! One side of a comparison: how many payments it accepts a second, and the CPU time of each.

use anyhow::Result;
use lab_runner::server::Server;

use super::tell;
use crate::{
    finding::{Figure, number},
    load::Load,
    testbed::Testbed,
};

/// Figures of one side, round by round.
pub struct Side {
    name: &'static str,
    rates: Vec<f64>,
    microseconds: Vec<f64>,
}

impl Side {
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            rates: Vec::new(),
            microseconds: Vec::new(),
        }
    }

    /// One round. `servers` are those whose CPU time counts.
    pub async fn measure(&mut self, servers: &[&Server], load: &Load, bed: &Testbed) -> Result<()> {
        let (outcome, microseconds) = bed.most_and_cpu(servers, load).await?;
        let rate = load.payments_a_second(&outcome);
        let shown = format!(
            "{} payments/s, {} µs each, p99 {} ms",
            number(rate),
            number(microseconds),
            number(outcome.percentile(99.0))
        );
        tell(self.name, shown);
        self.rates.push(rate);
        self.microseconds.push(microseconds);
        Ok(())
    }

    /// Payments per second, and microseconds of CPU time for each.
    pub fn figures(self) -> [Figure; 2] {
        [
            Figure::new(self.name, "payments/s", self.rates),
            Figure::new(self.name, "µs of CPU", self.microseconds),
        ]
    }
}
