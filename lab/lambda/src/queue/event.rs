//! What is stored of an asynchronous event: while it is queued, and as a dead letter.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// A file of `state/queue`; its name is the request id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub accepted_at: Timestamp,
    /// Number of failed attempts.
    pub attempts: u32,
    /// Error of the last attempt, at most 1 KiB.
    pub last_error: Option<String>,
    /// The payload verbatim, with every digit of its numbers.
    pub payload: Box<RawValue>,
}

impl Event {
    pub fn new(payload: Box<RawValue>) -> Self {
        Self {
            accepted_at: Timestamp::now(),
            attempts: 0,
            last_error: None,
            payload,
        }
    }
}

/// Why an event was given up; the names are Lambda's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GiveUpReason {
    RetriesExhausted,
    EventAgeExceeded,
}

/// A file of `state/dead-letters`, named by its request id. Code and message are those that Lambda sets on the messages
/// of a dead-letter queue.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    pub request_id: String,
    pub reason: GiveUpReason,
    /// 200 if the function failed, which is Lambda's status for that; 429 if it was never run because no concurrency
    /// was free.
    pub error_code: u16,
    pub error_message: String,
    pub attempts: u32,
    pub accepted_at: Timestamp,
    pub given_up_at: Timestamp,
    pub payload: Box<RawValue>,
}

impl DeadLetter {
    pub fn new(id: Uuid, event: Event, reason: GiveUpReason) -> Self {
        let error_code = if event.last_error.is_some() { 200 } else { 429 };
        Self {
            request_id: id.to_string(),
            reason,
            error_code,
            error_message: event.last_error.unwrap_or_else(|| "Rate Exceeded.".into()),
            attempts: event.attempts,
            accepted_at: event.accepted_at,
            given_up_at: Timestamp::now(),
            payload: event.payload,
        }
    }
}
