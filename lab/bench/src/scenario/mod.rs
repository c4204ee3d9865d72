//! The measurements. Each scenario adds its findings to the report.

mod accept;
mod app_tier;
mod batches;
mod clients;
mod cost;
mod function;
mod growth;
mod ingest;
mod lag;
mod memory;
mod proxy;
mod side;
mod single_payment;

use std::fmt;

use anyhow::Result;
use clap::ValueEnum;
use lab_runner::output;

use super::{report::Report, testbed::Testbed};

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scenario {
    /// Accepted payments per second and latencies, compared with Node and Flask
    Accept,
    /// Latency of a single payment on an idle system, compared with S3's own
    Alone,
    /// Throughput and CPU time of the app tier, compared with Vector and S2 lite
    AppTier,
    /// Payments in batches of 100, compared with one in each request
    Batches,
    /// The web tier as a proxy, compared with nginx
    Proxy,
    /// What a client over its limit costs the others, and what a key costs a request
    Clients,
    /// Memory of both tiers
    Memory,
    /// Lag from the answer to the row
    Lag,
    /// S3 and Lambda cost of a million payments
    Cost,
    /// Rows per second from object to table, compared with LOAD DATA and one row per event
    Ingest,
    /// Time from the start of the function to its first row, compared with Python
    Function,
    /// Rows per second into a table that has grown
    Growth,
}

impl Scenario {
    /// Splits the scenarios: those that need the lab's function, then those that need it off. The table grows last.
    pub(super) fn in_order(chosen: &[Self]) -> (Vec<Self>, Vec<Self>) {
        let all = Self::value_variants().iter().copied();
        let chosen = all.filter(|scenario| chosen.is_empty() || chosen.contains(scenario));
        chosen.partition(|scenario| matches!(scenario, Self::Lag | Self::Cost))
    }

    pub(super) async fn run(self, bed: &Testbed, report: &mut Report) -> Result<()> {
        output::say(format_args!("▶ {self}"));
        match self {
            Self::Accept => accept::run(bed, report).await,
            Self::Alone => single_payment::run(bed, report).await,
            Self::AppTier => app_tier::run(bed, report).await,
            Self::Batches => batches::run(bed, report).await,
            Self::Proxy => proxy::run(bed, report).await,
            Self::Clients => clients::run(bed, report).await,
            Self::Memory => memory::run(bed, report).await,
            Self::Lag => lag::run(bed, report).await,
            Self::Cost => cost::run(bed, report).await,
            Self::Ingest => ingest::run(bed, report).await,
            Self::Function => function::run(bed, report).await,
            Self::Growth => growth::run(bed, report).await,
        }
    }
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.pad(value.as_ref().map_or("", |value| value.get_name()))
    }
}

/// Prints a line of progress.
fn tell(what: &str, outcome: impl fmt::Display) {
    output::say(format_args!("  {what:<44} {outcome}"));
}
