//! `oha`, an open loop: what clients see at a rate that does not wait for the server.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result};
use lab_runner::{known_client, secret::Secret};
use serde::Deserialize;
use tokio::process::Command;

use super::{Load, Outcome, PAYMENT, PERCENTILES, not_parsed, output_of};

/// The part of oha's JSON that is used here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    /// Seconds, under `p50` and so on.
    latency_percentiles: BTreeMap<String, Option<f64>>,
    status_code_distribution: BTreeMap<String, u32>,
    #[serde(default)]
    error_distribution: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Summary {
    /// Seconds.
    total: f64,
    slowest: f64,
}

#[derive(Clone, Debug)]
pub struct Oha {
    pub program: PathBuf,
}

impl Oha {
    /// Sends at `rate` per second. A request that could not be sent when it was due counts from then nevertheless.
    pub async fn run(&self, load: &Load, rate: u32) -> Result<Outcome> {
        let mut command = Command::new(&self.program);
        command
            .args([
                "--no-tui",
                "--latency-correction",
                "--output-format",
                "json",
            ])
            .args(["-m", "POST", "-T", "application/json", "-d", PAYMENT])
            .args(["-c", &load.connections.to_string(), "-q", &rate.to_string()])
            .args(load.key.as_ref().map(header).into_iter().flatten())
            .args(["-z", &format!("{}s", load.length.as_secs().max(1)), "-w"])
            .arg(&load.url);
        let output = output_of(&self.program, &mut command).await?;
        read(&output).with_context(|| not_parsed(&self.program, &output))
    }
}

/// The bench's own key, which is worth nothing: other users of the machine may see it.
fn header(key: &Secret) -> [String; 2] {
    let authorization = known_client::authorization(key);
    ["-H".to_owned(), format!("Authorization: {authorization}")]
}

fn read(output: &str) -> Option<Outcome> {
    let report: Report = serde_json::from_str(output).ok()?;
    let (accepted, others): (Vec<_>, Vec<_>) = report
        .status_code_distribution
        .iter()
        .partition(|(status, _)| status.starts_with('2'));
    let count =
        |codes: Vec<(&String, &u32)>| codes.into_iter().map(|(_, count)| count).sum::<u32>();
    let (accepted, others) = (count(accepted), count(others));
    let latency = |percent: &f64| match *percent {
        100.0 => Some(report.summary.slowest * 1000.0),
        percent => {
            let seconds = report.latency_percentiles.get(&format!("p{percent}"))?;
            Some(seconds.unwrap_or(f64::NAN) * 1000.0)
        }
    };
    Some(Outcome {
        rate: f64::from(accepted) / report.summary.total,
        failed: u64::from(others)
            + report
                .error_distribution
                .values()
                .map(|n| u64::from(*n))
                .sum::<u64>(),
        latency_ms: PERCENTILES.iter().map(latency).collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_status_and_no_answer_both_count_as_failed() {
        let output = r#"{
            "summary": {"successRate": 0.9, "total": 2.0, "slowest": 0.5},
            "latencyPercentiles": {"p10": 0.001, "p50": 0.002, "p75": 0.003, "p90": 0.004, "p95": 0.005,
                "p99": 0.006, "p99.9": 0.007},
            "statusCodeDistribution": {"202": 100, "503": 7},
            "errorDistribution": {"aborted due to deadline": 3}
        }"#;
        let outcome = read(output).unwrap();
        assert_eq!(outcome.rate.to_bits(), 50.0_f64.to_bits());
        assert_eq!(outcome.failed, 10);
        assert_eq!(outcome.latency_ms, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 500.0]);
    }
}
