//! The facts: what was sent and answered, and what is recorded. As JSON, each fact is one line.

use serde::{Deserialize, Serialize};

use crate::content::Content;

/// One request for a payment. A repeat is an attempt of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Client whose id it is: empty with open intake; `None` for a caller without a valid credential where one is
    /// needed.
    pub client: Option<String>,
    pub id: String,
    pub content: Content,
    /// When it was sent, by the same clock as [`Row::recorded_ms`].
    pub sent_ms: u64,
    /// `None` if no answer came.
    pub answered_ms: Option<u64>,
    #[serde(flatten)]
    pub answer: Answer,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// A 2xx.
    Accepted {
        /// Whether the answer said that it was a repeat.
        replayed: bool,
        received_at: String,
        request_id: String,
    },
    /// 409: the id belongs to different content.
    Conflict,
    /// Any other 4xx.
    Refused { status: u16 },
    /// A 5xx: it may or may not be recorded.
    Failed { status: u16 },
    /// No answer: it may or may not be recorded.
    NoAnswer,
}

/// A row of `transactions` or of `conflicts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Empty with open intake.
    pub client: String,
    pub id: String,
    pub content: Content,
    pub received_at: String,
    /// When the row was inserted, if known.
    pub recorded_ms: Option<u64>,
    pub object_key: String,
    pub object_line: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_one_line_of_json_and_back() {
        let attempt = Attempt {
            client: Some("shop".to_owned()),
            id: "a".to_owned(),
            content: Content {
                transaction: None,
                amount: Some("1.10".to_owned()),
                currency: Some("EUR".to_owned()),
                status: "processed".to_owned(),
                payer_name: None,
                extra: "{}".to_owned(),
            },
            sent_ms: 1,
            answered_ms: Some(2),
            answer: Answer::Failed { status: 503 },
        };
        let line = serde_json::to_string(&attempt).unwrap();
        assert!(
            line.ends_with(r#""answer":"failed","status":503}"#),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Attempt>(&line).unwrap(), attempt);
    }
}
