//! Speed and cost, measured against the alternatives that a user would have.
//!
//! - [`testbed`]: a lab of its own, and the switches that a measurement needs.
//! - [`load`]: the load generators.
//! - [`objects`]: objects of the journal. [`host`]: a function that nothing else calls. [`price`]: AWS list prices.
//! - [`peer`]: what the pipeline is measured against.
//! - [`scenario`]: the measurements, one module each. [`finding`]: figures and how they compare with their targets.
//! - [`report`]: the table, the JSON, the page.
//!
//! Each comparison alternates between the two sides, round by round, on the same machine, S3 and database, and reports
//! the ratio of the medians, so that variations of the machine affect both sides. Do not compare figures of two runs.

pub mod finding;
pub mod host;
pub mod load;
pub mod objects;
pub mod peer;
pub mod price;
pub mod report;
pub mod scenario;
pub mod testbed;
pub mod tools;

use std::time::Duration;

use anyhow::Result;
use lab_runner::lab::Lab;

use self::{
    load::{Body, Load},
    report::Report,
    scenario::Scenario,
    testbed::Testbed,
};

/// Duration and number of the measurements.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub rounds: u32,
    /// Duration of one measurement.
    pub length: Duration,
    /// Duration of the load before it, which is not counted.
    pub warm_up: Duration,
    /// Number of rows of the grown table.
    pub rows: u64,
}

/// Context of an HTTP error.
const NO_ANSWER: &str = "the server did not answer";

/// Runs these scenarios on a lab that is up and otherwise idle.
pub async fn run(scenarios: &[Scenario], pace: Pace, lab: Lab) -> Result<Report> {
    let bed = Testbed::new(lab, pace)?;
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
    /// Load on this URL for one measurement.
    fn load(&self, url: impl Into<String>, connections: u32) -> Load {
        Load {
            url: url.into(),
            connections,
            length: self.length,
            key: None,
            body: Body::default(),
        }
    }
}
