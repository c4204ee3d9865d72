//! What is kept of an asynchronous event, while it waits and once it is given up.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::timestamp::Timestamp;

/// A file of `state/queue`; its name is the request id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    pub accepted_at: Timestamp,
    /// Runs that failed.
    pub attempts: u32,
    /// What the last of them said, at most 1 KiB.
    pub last_error: Option<String>,
    /// As it was sent, digit for digit.
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

/// Why an event was given up; Lambda's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reason {
    RetriesExhausted,
    EventAgeExceeded,
}

/// A file of `state/dead-letters`, named by its request id. Code and message are those that Lambda gives to
/// the messages of a dead-letter queue.
#[derive(Debug, Serialize, Deserialize)]
pub struct DeadLetter {
    pub request_id: String,
    pub reason: Reason,
    /// 200: the function failed, which Lambda answers so. 429: it was never run, for want of concurrency.
    pub error_code: u16,
    pub error_message: String,
    pub attempts: u32,
    pub accepted_at: Timestamp,
    pub given_up_at: Timestamp,
    pub payload: Box<RawValue>,
}

impl DeadLetter {
    pub fn new(id: Uuid, event: Event, reason: Reason) -> Self {
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
