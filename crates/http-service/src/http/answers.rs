//! Counts what requests were answered, and how long it took.

use std::time::Duration;

use http::StatusCode;
use payment_core::ErrorCode;
use prometheus_client::metrics::counter::Counter;

use super::Refusal;
use crate::metrics::{Histogram, Metrics, SECONDS};

/// Status of a request whose client hung up before the answer: nginx's number, which no RFC has.
pub(super) const CLIENT_GONE: StatusCode = match StatusCode::from_u16(499) {
    Ok(status) => status,
    Err(_) => unreachable!(),
};

/// The most common first.
const STATUSES: [(u16, &str); 21] = [
    (202, "202"),
    (200, "200"),
    (422, "422"),
    (429, "429"),
    (503, "503"),
    (304, "304"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (409, "409"),
    (413, "413"),
    (415, "415"),
    (499, "499"),
    (500, "500"),
    (502, "502"),
    (504, "504"),
    (303, "303"),
    (0, "other"),
];

/// All but `/health`.
#[derive(Debug)]
pub(super) struct Answers {
    statuses: Vec<Counter>,
    refusals: Vec<Counter>,
    took: Histogram,
}

impl Answers {
    pub(super) fn register(metrics: &mut Metrics) -> Self {
        let took = Histogram::new(SECONDS);
        let help = "From the head of a request to its answer.";
        metrics.spread("http_request_duration_seconds", help, &took);
        Self {
            statuses: metrics.count_each(
                "http_requests",
                "Answers by status.",
                "status",
                STATUSES.map(|(_, label)| label),
            ),
            refusals: metrics.count_each(
                "http_refused",
                "Requests that this tier itself refused, by code.",
                "code",
                ErrorCode::ALL.map(ErrorCode::code),
            ),
            took,
        }
    }

    pub(super) fn count(&self, status: StatusCode, refusal: Option<&Refusal>, took: Duration) {
        let status = STATUSES.iter().position(|(known, _)| status == *known);
        self.statuses[status.unwrap_or(STATUSES.len() - 1)].inc();
        if let Some(refusal) = refusal
            && let Some(code) = ErrorCode::ALL.iter().position(|code| *code == refusal.code)
        {
            self.refusals[code].inc();
        }
        self.took.observe_time(took);
    }
}
