//! What this tier counts of its own work.

use std::time::Duration;

use http_service::metrics::{Histogram, Metrics, SECONDS};
use payment_core::ErrorCode;
use prometheus_client::metrics::counter::Counter;

const BATCHES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];

/// Payments that became durable, whether or not their clients were still there to hear it.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    accepted: Counter,
    replayed: Counter,
}

impl Payments {
    pub fn register(&self, metrics: &mut Metrics) {
        let help = "Payments that were made durable.";
        metrics.count("accepted", help, &self.accepted);
        let help = "Repeats that got the first answer again.";
        metrics.count("replayed", help, &self.replayed);
    }

    pub fn accepted(&self) {
        self.accepted.inc();
    }

    pub fn replayed(&self) {
        self.replayed.inc();
    }
}

/// Payments of batches that were not accepted, by code. Those alone in their request are counted as its answer.
#[derive(Debug)]
pub(crate) struct BatchRefused(Vec<Counter>);

impl BatchRefused {
    pub fn register(metrics: &mut Metrics) -> Self {
        let help = "Payments of batches that were refused or not confirmed, by code.";
        let codes = ErrorCode::ALL.map(ErrorCode::code);
        Self(metrics.count_each("batch_refused", help, "code", codes))
    }

    pub fn count(&self, code: ErrorCode) {
        if let Some(place) = ErrorCode::ALL.iter().position(|known| *known == code) {
            self.0[place].inc();
        }
    }
}

/// Objects of the log.
#[derive(Debug)]
pub(crate) struct Puts {
    records: Histogram,
    took: Histogram,
    failures: Counter,
}

impl Puts {
    pub fn register(&self, metrics: &mut Metrics) {
        let help = "Payments in one object.";
        metrics.spread("batch_records", help, &self.records);
        let help = "From the start of a PUT, its retries included, to S3's confirmation.";
        metrics.spread("put_duration_seconds", help, &self.took);
        let help = "PUTs that S3 did not confirm, probes included.";
        metrics.count("put_failures", help, &self.failures);
    }

    /// A probe has no records.
    pub fn confirmed(&self, records: usize, took: Duration) {
        if let Ok(records @ 1..) = u32::try_from(records) {
            self.records.observe_count(records);
            self.took.observe_time(took);
        }
    }

    pub fn failed(&self) {
        self.failures.inc();
    }
}

impl Default for Puts {
    fn default() -> Self {
        Self {
            records: Histogram::new(BATCHES),
            took: Histogram::new(SECONDS),
            failures: Counter::default(),
        }
    }
}
