//! What the tiers' access logs say about one payment.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use lab_runner::part::PartName;
use lab_runner::ports::TIERS;
use lab_runner::state::LabDir;
use payment_core::{ClientName, Timestamp};
use serde::Deserialize;
use tokio::task::spawn_blocking;

/// How much of the end of each log is searched, in bytes.
const BYTES_MAX: u64 = 8 << 20;

/// Most lines shown for a payment.
const LINES_MAX: usize = 20;

/// A request that a tier answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    pub part: PartName,
    /// Empty with open intake.
    pub client: ClientName,
    /// Whether it posted this payment; else it only has the request id of one.
    pub is_of_payment: bool,
    pub method: String,
    pub route: String,
    pub status: u16,
    pub start: Timestamp,
    pub end: Timestamp,
}

impl Answered {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A log line of the target `access`.
#[derive(Deserialize)]
struct Line<'a> {
    timestamp: &'a str,
    target: &'a str,
    method: String,
    route: String,
    status: u16,
    duration_ms: f64,
    request_id: Option<&'a str>,
    payment_id: Option<&'a str>,
    client: Option<&'a str>,
}

/// Returns the requests that posted a payment, or have one of these request ids, in order. Status queries are left out.
pub async fn of_payment(id: &str, requests: Vec<String>, dir: &LabDir) -> Vec<Answered> {
    let logs = TIERS.map(|tier| (tier, dir.log(tier)));
    let id = id.to_owned();
    let search = move || {
        let mut found = Vec::new();
        for (part, path) in logs {
            let text = end_of(&path).unwrap_or_default();
            let lines = text.lines().rev();
            let answers = lines.filter_map(|line| read(part, line, &id, &requests));
            found.extend(answers.take(LINES_MAX));
        }
        found.sort_by_key(|answered| answered.start);
        found
    };
    // A log that cannot be read yields nothing.
    spawn_blocking(search).await.unwrap_or_default()
}

fn end_of(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read(part: PartName, line: &str, id: &str, requests: &[String]) -> Option<Answered> {
    // Checked before the expensive parsing: most lines are about other payments.
    if !line.contains(id) && !requests.iter().any(|request| line.contains(request)) {
        return None;
    }
    let line: Line<'_> = serde_json::from_str(line).ok()?;
    let is_of_request = requests
        .iter()
        .any(|request| line.request_id == Some(request));
    let is_of_payment = line.payment_id == Some(id) && line.method == "POST";
    if line.target != "access" || !(is_of_request || is_of_payment) {
        return None;
    }
    let end = Timestamp::parse(line.timestamp)?;
    let took = Duration::from_secs_f64((line.duration_ms / 1000.0).clamp(0.0, 3_600.0));
    Some(Answered {
        part,
        client: ClientName::from_stored(line.client.unwrap_or_default()).ok()?,
        is_of_payment,
        method: line.method,
        route: line.route,
        status: line.status,
        start: Timestamp::new(end.to_utc() - took),
        end,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"timestamp":"2026-11-25T19:40:01.500000Z","level":"INFO","target":"access","message":"request","request_id":"r-1","method":"POST","route":"/pay","status":202,"duration_ms":12.5,"payment_id":"p-1","client":"shop"}"#;

    #[test]
    fn a_payments_own_line_is_found_by_either_id_and_no_other() {
        let read = |id, requests: &[&str]| {
            let requests: Vec<_> = requests.iter().map(|&id| id.to_owned()).collect();
            read(PartName::WebA, LINE, id, &requests)
        };
        let answered = read("p-1", &[]).unwrap();
        assert_eq!(answered.client.as_str(), "shop");
        assert!(answered.is_of_payment);
        assert_eq!((answered.status, answered.route.as_str()), (202, "/pay"));
        let took = answered.end.to_utc() - answered.start.to_utc();
        assert_eq!(took, time::Duration::microseconds(12_500));
        assert!(!read("p-2", &["r-0", "r-1"]).unwrap().is_of_payment);
        assert!(read("p-2", &["r-2"]).is_none());
        assert!(read("pay", &[]).is_none(), "a part of the line is no id");
    }
}
