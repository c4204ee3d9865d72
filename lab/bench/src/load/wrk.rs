//! `wrk`, a closed loop: a server's maximum throughput.

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context as _, Result};
use lab_runner::known_client;
use serde::Deserialize;
use tempfile::NamedTempFile;
use tokio::process::Command;
use uuid::Uuid;

use crate::peer::s2::BASIN;

use super::{Body, Load, Outcome, PAYMENT, PERCENTILES, cannot_run, not_parsed, output_of};

const SCRIPT: &str = include_str!("wrk.lua");

/// The last line that the script prints.
#[derive(Deserialize)]
struct Summary {
    requests: u64,
    seconds: f64,
    failed: u64,
    not_2xx: u64,
    latency_ms: Vec<f64>,
}

#[derive(Clone, Debug)]
pub struct Wrk {
    pub program: PathBuf,
}

impl Wrk {
    pub async fn run(&self, load: &Load) -> Result<Outcome> {
        let script = script().with_context(|| cannot_run(&self.program))?;
        let percentiles: Vec<_> = PERCENTILES.iter().map(f64::to_string).collect();
        let authorization = load.key.as_ref().map(known_client::authorization);
        let mut command = Command::new(&self.program);
        command
            .args(["--threads", "1", "--timeout", "15s"])
            .args(["--connections", &load.connections.to_string()])
            .args(["--duration", &format!("{}s", load.length.as_secs().max(1))])
            .arg("--script")
            .arg(script.path())
            .arg(&load.url)
            .env("BENCH_BODY", PAYMENT)
            .envs(variable(load.body))
            .env("BENCH_RUN", Uuid::new_v4().simple().to_string())
            .envs(authorization.map(|value| ("BENCH_AUTHORIZATION", value)))
            .env("BENCH_PERCENTILES", percentiles.join(","));
        let output = output_of(&self.program, &mut command).await?;
        read(&output).with_context(|| not_parsed(&self.program, &output))
    }
}

/// What the script needs to know of the body.
fn variable(body: Body) -> Option<(&'static str, String)> {
    match body {
        Body::Payment => None,
        Body::Uuid => Some(("BENCH_IDS", "uuid".to_owned())),
        Body::Numbered => Some(("BENCH_IDS", "numbered".to_owned())),
        Body::Batch(payments) => Some(("BENCH_BATCH", payments.to_string())),
        Body::Record => Some(("BENCH_S2_BASIN", BASIN.to_owned())),
    }
}

fn script() -> std::io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new()?;
    file.write_all(SCRIPT.as_bytes())?;
    Ok(file)
}

fn read(output: &str) -> Option<Outcome> {
    let summary: Summary = serde_json::from_str(output.lines().last()?).ok()?;
    // `requests` counts all answers, whatever their status.
    let accepted = u32::try_from(summary.requests.checked_sub(summary.not_2xx)?).ok()?;
    Some(Outcome {
        rate: f64::from(accepted) / summary.seconds,
        failed: summary.failed,
        latency_ms: summary.latency_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_another_status_are_not_counted_as_accepted() {
        let output = "Running 1s test\n\n\
            {\"requests\":1000,\"seconds\":2.0,\"failed\":205,\"not_2xx\":200,\"latency_ms\":[1,2,3,4,5,6,7]}\n";
        let outcome = read(output).unwrap();
        assert_eq!(outcome.rate.to_bits(), 400.0_f64.to_bits());
        assert_eq!(outcome.failed, 205);
    }
}
