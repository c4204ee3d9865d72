//! The app tier's answer to a batch: one line for each payment.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use http_service::http::{PAYMENTS_ACCEPTED, Refusal};
use payment_core::ErrorCode;
use serde_json::{Map, Value};

use super::answer::{AGAIN, Answer};

/// An answer of the app tier to a batch.
#[derive(Debug)]
pub enum BatchAnswer {
    /// Lines of JSON.
    Lines { lines: Bytes, accepted: u32 },
    /// The batch was refused as a whole.
    Refused(Response),
}

impl BatchAnswer {
    pub(super) fn read(answer: Answer) -> Result<Self, Refusal> {
        let accepted = answer.headers.get(PAYMENTS_ACCEPTED);
        let accepted = accepted.and_then(|value| value.to_str().ok()?.parse().ok());
        match accepted {
            Some(accepted) if answer.status == StatusCode::OK => Ok(Self::Lines {
                lines: answer.body,
                accepted,
            }),
            _ => answer.into_response().map(Self::Refused),
        }
    }
}

/// The answer to a batch that was sent twice. A refusal of the repeat is no answer: the first may have been taken (promise P6).
pub(super) fn doubtful(answer: &[u8]) -> Bytes {
    let mut lines = Vec::with_capacity(answer.len());
    for line in answer.split_inclusive(|byte| *byte == b'\n') {
        match serde_json::from_slice::<Map<String, Value>>(line) {
            Ok(refused) if refused.get("status").is_some_and(|s| s == "refused") => {
                // A map of JSON is always JSON, and a Vec takes all of it.
                let _ = serde_json::to_writer(&mut lines, &unconfirmed(refused));
                lines.push(b'\n');
            }
            _ => lines.extend_from_slice(line),
        }
    }
    lines.into()
}

fn unconfirmed(mut line: Map<String, Value>) -> Map<String, Value> {
    let code = ErrorCode::UpstreamFailed;
    line.remove("member");
    line.insert("status".to_owned(), "unconfirmed".into());
    line.insert("code".to_owned(), code.code().into());
    line.insert("http_status".to_owned(), code.status().into());
    line.insert("detail".to_owned(), AGAIN.into());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p6_a_refused_line_of_a_repeated_batch_is_unconfirmed() {
        let accepted = r#"{"line":1,"id":"a","status":"accepted"}"#;
        let refused = r#"{"line":2,"id":"b","status":"refused","code":"id_conflict","http_status":409,"detail":"d"}"#;
        let answer = doubtful(format!("{accepted}\n{refused}\n").as_bytes());
        let answer = std::str::from_utf8(&answer).unwrap();
        let (first, second) = answer.split_once('\n').unwrap();
        assert_eq!(first, accepted);
        let second: Value = serde_json::from_str(second).unwrap();
        for (member, value) in [
            ("id", "b"),
            ("status", "unconfirmed"),
            ("code", "upstream_failed"),
        ] {
            assert_eq!(second[member], value);
        }
        assert_eq!(second["http_status"], 502);
    }
}
