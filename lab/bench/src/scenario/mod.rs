//! What is measured. Each scenario adds its findings to the report.

mod accept;
mod alone;
mod app_tier;
mod cost;
mod function;
mod growth;
mod ingest;
mod lag;
mod memory;
mod proxy;

use std::fmt;

use clap::ValueEnum;
use lab_runner::output;

use super::{Error, bed::Bed, report::Report};

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Scenario {
    /// Accepted payments a second and latencies, beside the stack of Node and Flask
    Accept,
    /// Latency of a payment that is alone in the system, beside S3's own
    Alone,
    /// The app tier and what it takes of a processor, beside Vector
    AppTier,
    /// The web tier as a proxy, beside nginx
    Proxy,
    /// Memory of both tiers
    Memory,
    /// From the answer to the row
    Lag,
    /// S3 and Lambda cost of a million payments
    Cost,
    /// Rows a second from object to table, beside LOAD DATA and one row an event
    Ingest,
    /// From the start of the function to its first row, beside Python's
    Function,
    /// Rows a second into a table that has grown
    Growth,
}

impl Scenario {
    /// Those that need the lab's function, then those that need it gone; the table grows last.
    pub(super) fn in_order(chosen: &[Self]) -> (Vec<Self>, Vec<Self>) {
        let all = Self::value_variants().iter().copied();
        let chosen = all.filter(|scenario| chosen.is_empty() || chosen.contains(scenario));
        chosen.partition(|scenario| matches!(scenario, Self::Lag | Self::Cost))
    }

    pub(super) async fn run(self, bed: &Bed, report: &mut Report) -> Result<(), Error> {
        output::say(format_args!("▶ {self}"));
        match self {
            Self::Accept => accept::run(bed, report).await,
            Self::Alone => alone::run(bed, report).await,
            Self::AppTier => app_tier::run(bed, report).await,
            Self::Proxy => proxy::run(bed, report).await,
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

/// A line of progress.
fn tell(what: &str, outcome: impl fmt::Display) {
    output::say(format_args!("  {what:<44} {outcome}"));
}
