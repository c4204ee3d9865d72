//! The platform's own lines in the function's log.

use std::time::Duration;

use uuid::Uuid;

use crate::arn::LATEST;
use crate::invocation::{Failure, FailureCause, Outcome, Run, timed_out_text};
use crate::timestamp::Timestamp;

pub fn init_start() -> String {
    "INIT_START Runtime Version: provided:al2023".to_owned()
}

/// Written only for a failed init; the first REPORT covers a successful one.
pub fn init_report(duration: Duration, status: &str) -> String {
    format!(
        "INIT_REPORT Init Duration: {:.2} ms\tPhase: init\tStatus: {status}",
        milliseconds(duration)
    )
}

pub fn start(request_id: Uuid) -> String {
    format!("START RequestId: {request_id} Version: {LATEST}")
}

pub fn timed_out(request_id: Uuid, timeout: Duration) -> String {
    format!(
        "{} {request_id} {}",
        Timestamp::now(),
        timed_out_text(timeout)
    )
}

pub fn end(request_id: Uuid) -> String {
    format!("END RequestId: {request_id}")
}

pub fn report(request_id: Uuid, run: &Run, memory_mb: u32) -> String {
    let init = run
        .init
        .map(|init| format!("Init Duration: {:.2} ms\t", milliseconds(init)));
    let status = match &run.outcome {
        Outcome::Failure(Failure {
            cause: FailureCause::Timeout,
            ..
        }) => "Status: timeout",
        Outcome::Failure(Failure {
            cause: FailureCause::Exit,
            ..
        }) => "Status: error\tError Type: Runtime.ExitError",
        Outcome::Failure(_) | Outcome::Success(_) => "",
    };
    format!(
        "REPORT RequestId: {request_id}\tDuration: {:.2} ms\tBilled Duration: {} ms\t\
         Memory Size: {memory_mb} MB\tMax Memory Used: {} MB\t{}{status}",
        milliseconds(run.duration),
        run.billed_milliseconds(),
        run.peak_memory_mb,
        init.unwrap_or_default(),
    )
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
