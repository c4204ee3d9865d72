//! Metrics in CloudWatch's embedded metric format: one JSON line on stdout, from which CloudWatch makes metrics.

use std::io::{self, Write};

use payment_core::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::ingest::Ingested;

const NAMESPACE: &str = "PaymentPipeline";

/// What one event did.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tally {
    pub objects: usize,
    pub failed_objects: usize,
    /// Ingested before: their event came again.
    pub repeated_objects: usize,
    /// No longer in the bucket, where nobody may delete.
    pub gone_objects: usize,
    pub rows: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    pub rejects: u64,
    /// Those of the rejects that this system wrote, and so accepted: the alarm.
    pub own_rejects: u64,
    /// Rows with status `failed`: the alert.
    pub failed_transactions: u64,
    /// Objects that a sweep took, since their event was lost or given up.
    pub swept: usize,
    pub cold_start: bool,
    /// From the oldest payment's answer to its row.
    #[serde(skip)]
    pub lag_ms: Option<i64>,
}

impl Tally {
    pub fn add(&mut self, ingested: &Ingested, now: Timestamp) {
        self.objects += 1;
        let (outcome, oldest) = match ingested {
            Ingested::Stored {
                outcome, oldest, ..
            } => (outcome, oldest),
            Ingested::Already => return self.repeated_objects += 1,
            Ingested::Gone => return self.gone_objects += 1,
        };
        self.rows += u64::from(outcome.rows);
        self.duplicates += u64::from(outcome.duplicates);
        self.conflicts += u64::from(outcome.conflicts);
        self.rejects += u64::from(outcome.rejects);
        self.own_rejects += u64::from(outcome.own_rejects);
        self.failed_transactions += u64::from(outcome.failed);
        if let Some(oldest) = oldest.filter(|_| outcome.rows > 0) {
            let lag = (now.to_utc() - oldest.to_utc()).whole_milliseconds();
            self.lag_ms = self.lag_ms.max(i64::try_from(lag).ok());
        }
    }

    /// Writes the line for CloudWatch.
    pub fn emit(&self, request_id: &str, now: Timestamp) {
        let line = self.line(request_id, now);
        // Metrics must not fail an event whose rows are stored.
        let _ = writeln!(io::stdout().lock(), "{line}");
    }

    fn line(&self, request_id: &str, now: Timestamp) -> serde_json::Value {
        let counts = [
            "Objects",
            "FailedObjects",
            "RepeatedObjects",
            "GoneObjects",
            "Rows",
            "Duplicates",
            "Conflicts",
            "Rejects",
            "OwnRejects",
            "FailedTransactions",
            "SweptObjects",
            "ColdStarts",
        ];
        let mut metrics: Vec<_> = counts
            .iter()
            .map(|name| json!({"Name": name, "Unit": "Count"}))
            .collect();
        if self.lag_ms.is_some() {
            metrics.push(json!({"Name": "Lag", "Unit": "Milliseconds"}));
        }
        let timestamp =
            i64::try_from(now.to_utc().unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        json!({
            "_aws": {
                "Timestamp": timestamp,
                "CloudWatchMetrics": [{"Namespace": NAMESPACE, "Dimensions": [[]], "Metrics": metrics}],
            },
            "request_id": request_id,
            "Objects": self.objects,
            "FailedObjects": self.failed_objects,
            "RepeatedObjects": self.repeated_objects,
            "GoneObjects": self.gone_objects,
            "Rows": self.rows,
            "Duplicates": self.duplicates,
            "Conflicts": self.conflicts,
            "Rejects": self.rejects,
            "OwnRejects": self.own_rejects,
            "FailedTransactions": self.failed_transactions,
            "SweptObjects": self.swept,
            "ColdStarts": u8::from(self.cold_start),
            "Lag": self.lag_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_announced_has_a_value() {
        for lag_ms in [None, Some(7)] {
            let line = Tally {
                lag_ms,
                ..Tally::default()
            }
            .line("r", Timestamp::EPOCH);
            let metrics = line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
                .as_array()
                .unwrap();
            assert_eq!(metrics.len(), if lag_ms.is_some() { 13 } else { 12 });
            for metric in metrics {
                assert!(
                    line[metric["Name"].as_str().unwrap()].is_number(),
                    "{metric}"
                );
            }
        }
    }
}
