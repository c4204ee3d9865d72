//! Speed and cost, measured beside what a user would take instead.
//!
//! - [`bed`]: a lab of its own, and what is switched in it for a measurement.
//! - [`load`]: the load generators.
//! - [`objects`]: objects of the log. [`host`]: a function that nothing else calls. [`price`]: AWS's list.
//! - [`peer`]: what the pipeline is measured against.
//! - [`scenario`]: what is measured, one module each. [`finding`]: figures and how they stand to their targets.
//! - [`report`]: the table, the JSON, the page.
//!
//! Each comparison takes turns, round by round, on the same machine, S3 and database, and tells the ratio of the
//! medians: this machine's own moods fall on both sides. Figures of two runs are not to be compared.

pub mod bed;
pub mod finding;
pub mod host;
pub mod load;
pub mod objects;
pub mod peer;
pub mod price;
pub mod report;
pub mod scenario;
pub mod tools;

use std::time::Duration;

use lab_runner::{fault, files, lab::Lab, part, process, server};

use self::{bed::Bed, load::Load, report::Report, scenario::Scenario};

/// How long and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub rounds: u32,
    /// Of one measurement.
    pub length: Duration,
    /// Load before it that does not count.
    pub warm_up: Duration,
    /// Rows of the table that has grown.
    pub rows: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{failed} requests of {what} failed: what was measured is not what was meant")]
    Failed { what: String, failed: u64 },
    #[error("the function answered {status}: {body}")]
    Function { status: u16, body: String },
    #[error("{0}")]
    Unexpected(String),
    #[error("S3 can't be written to")]
    S3(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("no answer")]
    Http(#[source] reqwest::Error),
    #[error(transparent)]
    Load(#[from] load::Error),
    #[error(transparent)]
    Tools(#[from] tools::Error),
    #[error(transparent)]
    Peer(#[from] peer::Error),
    #[error(transparent)]
    Server(#[from] server::Error),
    #[error(transparent)]
    Fault(#[from] fault::Error),
    #[error(transparent)]
    Part(#[from] part::Error),
    #[error(transparent)]
    Database(#[from] lab_runner::database::Error),
    #[error(transparent)]
    Process(#[from] process::Error),
    #[error(transparent)]
    Files(#[from] files::Error),
    #[error(transparent)]
    State(#[from] lab_runner::state::Error),
    #[error(transparent)]
    Port(#[from] lab_runner::ports::NoFreePort),
}

/// Runs these scenarios on a lab that is up and does nothing else.
pub async fn run(scenarios: &[Scenario], pace: Pace, lab: Lab) -> Result<Report, Error> {
    let bed = Bed::new(lab, pace)?;
    let mut report = Report::begin(pace);
    let (with_function, without) = Scenario::in_order(scenarios);
    for scenario in with_function {
        scenario.run(&bed, &mut report).await?;
    }
    bed.without_function().await?;
    for scenario in without {
        scenario.run(&bed, &mut report).await?;
    }
    Ok(report)
}

impl Pace {
    /// Load on that address for one measurement.
    fn load(&self, url: impl Into<String>, connections: u32) -> Load {
        Load {
            url: url.into(),
            connections,
            length: self.length,
        }
    }
}
