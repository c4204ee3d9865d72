//! How many requests may be at work, with a limit of their own for status queries: those wait for a database, and
//! payments do not (promise P5).

use std::sync::Arc;

use axum::extract::MatchedPath;
use payment_core::ErrorCode;
use tokio::sync::Semaphore;

use super::Refusal;
use super::slot::{Slot, overloaded};

/// Requests that ask what became of a payment. By default there are none.
#[derive(Debug, Clone, Copy, Default)]
pub struct StatusQueries {
    /// Their route, as the router has it.
    pub route: &'static str,
    /// Most requests at work at one time; more are refused at once.
    pub max: usize,
}

#[derive(Debug)]
pub(super) struct Slots {
    requests: Arc<Semaphore>,
    requests_max: usize,
    status: Arc<Semaphore>,
    queries: StatusQueries,
}

impl Slots {
    pub(super) fn new(requests_max: usize, queries: StatusQueries) -> Self {
        Self {
            requests: Arc::new(Semaphore::new(requests_max)),
            requests_max,
            status: Arc::new(Semaphore::new(queries.max)),
            queries,
        }
    }

    /// A slot until it is dropped, or what the client of one request too many is told.
    pub(super) fn take(&self, route: Option<&MatchedPath>) -> Result<Slot, Refusal> {
        if route.is_some_and(|route| route.as_str() == self.queries.route) {
            let full = || Refusal::new(ErrorCode::StatusUnavailable, "ask again in a moment");
            return Slot::take(&self.status).ok_or_else(full);
        }
        Slot::take(&self.requests).ok_or_else(overloaded)
    }

    pub(super) fn in_use(&self) -> usize {
        let max = self.requests_max + self.queries.max;
        max - self.requests.available_permits() - self.status.available_permits()
    }
}
