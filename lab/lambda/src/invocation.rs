//! One invocation of the function: its input and its result.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use uuid::Uuid;

/// A request to run the function.
#[derive(Debug, Clone)]
pub struct Invocation {
    pub request_id: Uuid,
    /// JSON.
    pub payload: Bytes,
}

/// Result of an invocation.
#[derive(Debug)]
pub struct Run {
    pub outcome: Outcome,
    /// Whether it was a cold start.
    pub cold: bool,
    /// Time from the START line to the answer.
    pub duration: Duration,
    /// Duration of the init, if it succeeded just before this invocation.
    pub init: Option<Duration>,
    /// Peak memory of the process; 0 if unknown.
    pub peak_memory_mb: u64,
    /// End of what the environment wrote to its log, at most 4 KiB.
    pub log_tail: Vec<u8>,
}

impl Run {
    /// Returns init plus duration, rounded up to a whole millisecond: what Lambda bills on an OS-only runtime.
    pub fn billed_milliseconds(&self) -> u64 {
        let billed = self.duration + self.init.unwrap_or_default();
        u64::try_from(billed.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

#[derive(Debug)]
pub enum Outcome {
    /// The function's response.
    Success(Bytes),
    Failure(Failure),
}

/// Who reported the failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureCause {
    /// The function: by `/error` or `/init/error`, panics included; or its response was too large.
    Function,
    /// No response before the deadline.
    Timeout,
    /// The process exited, or never started.
    Exit,
}

/// A failed invocation, with Lambda's error JSON as the caller gets it.
#[derive(Debug)]
pub struct Failure {
    pub cause: FailureCause,
    pub body: Bytes,
}

impl Failure {
    /// An error that the function reported itself.
    pub fn reported(body: Bytes) -> Self {
        Self {
            cause: FailureCause::Function,
            body,
        }
    }

    pub fn response_too_large(limit: usize) -> Self {
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({limit} bytes).");
        Self::new(
            FailureCause::Function,
            "Function.ResponseSizeTooLarge",
            &message,
        )
    }

    pub fn timed_out(request_id: Uuid, timeout: Duration) -> Self {
        let message = format!("RequestId: {request_id} Error: {}", timed_out_text(timeout));
        Self::new(FailureCause::Timeout, "Sandbox.Timedout", &message)
    }

    /// The function did its work, but the result is dropped.
    pub fn answer_lost(request_id: Uuid) -> Self {
        let message = format!("RequestId: {request_id} Error: The function's answer was lost");
        Self::new(FailureCause::Function, "Lab.AnswerLost", &message)
    }

    /// The process exited. `termination` is text such as `exit status 1`; `None` for status 0.
    pub fn exited(request_id: Uuid, termination: Option<&str>) -> Self {
        let reason = termination.map_or_else(
            || "Runtime exited without providing a reason".to_owned(),
            |termination| format!("Runtime exited with error: {termination}"),
        );
        let message = format!("RequestId: {request_id} Error: {reason}");
        Self::new(FailureCause::Exit, "Runtime.ExitError", &message)
    }

    /// The binary could not be started.
    pub fn not_started(request_id: Uuid, reason: &str) -> Self {
        let message = format!("RequestId: {request_id} Error: {reason}");
        Self::new(FailureCause::Exit, "Runtime.InvalidEntrypoint", &message)
    }

    /// Returns the error message, at most 1 KiB as in Lambda's dead letters.
    pub fn message(&self) -> String {
        let body: Option<Value> = serde_json::from_slice(&self.body).ok();
        let message = body
            .as_ref()
            .and_then(|body| body.get("errorMessage"))
            .and_then(Value::as_str);
        let mut text = message.map_or_else(
            || String::from_utf8_lossy(&self.body).into_owned(),
            ToOwned::to_owned,
        );
        text.truncate(text.floor_char_boundary(1024));
        text
    }

    fn new(cause: FailureCause, error_type: &str, message: &str) -> Self {
        let body = json!({"errorType": error_type, "errorMessage": message});
        Self {
            cause,
            body: body.to_string().into(),
        }
    }
}

/// Returns Lambda's message for a timeout.
pub fn timed_out_text(timeout: Duration) -> String {
    format!("Task timed out after {:.2} seconds", timeout.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_from_the_error_or_is_its_text_and_is_cut_at_a_character() {
        let long = format!(r#"{{"errorMessage":"a{}"}}"#, "é".repeat(600));
        for (body, expected) in [
            (
                r#"{"errorType":"T","errorMessage":"m"}"#.to_owned(),
                "m".to_owned(),
            ),
            ("plain".to_owned(), "plain".to_owned()),
            (long, format!("a{}", "é".repeat(511))),
        ] {
            assert_eq!(Failure::reported(body.into()).message(), expected);
        }
    }

    #[test]
    fn the_bill_covers_init_and_is_rounded_up() {
        let run = Run {
            outcome: Outcome::Success(Bytes::new()),
            cold: true,
            duration: Duration::from_micros(1_200),
            init: Some(Duration::from_micros(2_300)),
            peak_memory_mb: 0,
            log_tail: Vec::new(),
        };
        assert_eq!(run.billed_milliseconds(), 4);
    }
}
