//! Load generators and their results.
//!
//! There are two, because each answers a different question. [`wrk`] is a closed loop: each connection sends its next
//! request when it has the last answer, which finds a server's maximum throughput, but its latencies hide the time that
//! requests waited to be sent. [`oha`] is an open loop: requests are sent at a fixed rate whatever happens to earlier
//! ones, and each latency counts from the moment when its request was due.

pub mod oha;
pub mod wrk;

use std::{path::Path, process::Stdio, time::Duration};

use anyhow::{Context as _, Result, ensure};
use lab_runner::{known_client, secret::Secret};
use serde::Serialize;
use tokio::process::Command;

/// Percentiles of latency; the last is the slowest answer.
pub const PERCENTILES: [f64; 7] = [50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0];

/// A payment without an id: each request creates a new one.
pub const PAYMENT: &str =
    r#"{"transaction":"bench","amount":"100.00","currency":"USD","payer_name":"Jane Doe"}"#;

/// What to send, and for how long.
#[derive(Clone, Debug)]
pub struct Load {
    /// URL that [`PAYMENT`] is posted to.
    pub url: String,
    pub connections: u32,
    pub length: Duration,
    /// Key of a known client, if the server asks for one.
    pub key: Option<Secret>,
    /// [`oha`] sends [`Body::Payment`] alone.
    pub body: Body,
}

/// What each request carries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Body {
    /// [`PAYMENT`], whose id the web tier makes.
    #[default]
    Payment,
    /// A payment whose id is a random UUID.
    Uuid,
    /// A payment whose id is a prefix and a number that counts up.
    Numbered,
    /// So many payments, each with an id of its own.
    Batch(u32),
    /// [`PAYMENT`] as a record to append to a stream of S2.
    Record,
}

impl Body {
    /// Payments of one request.
    pub fn payments(self) -> u32 {
        match self {
            Self::Batch(payments) => payments,
            _ => 1,
        }
    }
}

impl Load {
    /// Payments of the answers of a second.
    pub fn payments_a_second(&self, outcome: &Outcome) -> f64 {
        outcome.rate * f64::from(self.body.payments())
    }

    /// One request with one payment.
    pub fn one(&self, client: &reqwest::Client) -> reqwest::RequestBuilder {
        let request = client
            .post(&self.url)
            .header("content-type", "application/json")
            .body(PAYMENT);
        match &self.key {
            Some(key) => request.header("authorization", known_client::authorization(key)),
            None => request,
        }
    }

    #[must_use]
    pub fn with_key(mut self, key: &Secret) -> Self {
        self.key = Some(key.clone());
        self
    }
}

/// Result of a load.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// 2xx answers per second.
    pub rate: f64,
    /// Number of requests without an answer, or with an answer other than 2xx.
    pub failed: u64,
    /// Latency in milliseconds at each of [`PERCENTILES`].
    pub latency_ms: Vec<f64>,
}

impl Outcome {
    /// Latency in milliseconds; `percent` must be one of [`PERCENTILES`].
    pub fn percentile(&self, percent: f64) -> f64 {
        let known = PERCENTILES.iter().zip(&self.latency_ms);
        let mut fitting = known.filter(|(at, _)| **at >= percent);
        fitting.next().map_or(f64::NAN, |(_, ms)| *ms)
    }
}

/// Runs a generator to completion and returns its output.
async fn output_of(program: &Path, command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| cannot_run(program))?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        program.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn cannot_run(program: &Path) -> String {
    format!("cannot run {}", program.display())
}

fn not_parsed(program: &Path, output: &str) -> String {
    let program = program.display();
    format!("{program} printed output that cannot be parsed: {output}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_found_by_its_number() {
        let outcome = Outcome {
            rate: 1.0,
            failed: 0,
            latency_ms: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        };
        assert_eq!(outcome.percentile(50.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(outcome.percentile(99.0).to_bits(), 5.0_f64.to_bits());
        assert_eq!(outcome.percentile(100.0).to_bits(), 7.0_f64.to_bits());
    }
}
