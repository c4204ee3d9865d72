//! What the host reports about itself: counts, environments, recent invocations.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde::Serialize;

use crate::invocation::{FailureCause, Invocation, Outcome, Run};
use crate::sync::lock;
use crate::timestamp::Timestamp;

/// Number of recent invocations that are kept.
const RECENT_MAX: usize = 50;

/// Counts since the host started.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Counts {
    /// Invocations, retries included.
    pub invocations: u64,
    /// Failed invocations, timeouts included.
    pub errors: u64,
    pub timeouts: u64,
    pub cold_starts: u64,
    /// Synchronous calls refused because all concurrency was in use.
    pub throttles: u64,
    /// Events that became dead letters.
    pub dead_letters: u64,
    /// What Lambda would bill for all invocations, in milliseconds.
    pub billed_ms: u64,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentState {
    /// The process is initializing.
    Starting,
    /// An invocation is in flight.
    Running,
    /// Stopped between invocations.
    Frozen,
}

#[derive(Debug, Clone, Serialize)]
pub struct EnvironmentStatus {
    pub log_stream: String,
    pub pid: i32,
    pub state: EnvironmentState,
    /// When the state was entered.
    pub since: Timestamp,
    pub invocations: u64,
}

#[derive(Debug, Clone, Serialize)]
pub struct RecentRun {
    pub request_id: String,
    pub ended_at: Timestamp,
    pub duration_ms: u64,
    pub billed_ms: u64,
    /// `success`, `error`, `timeout` or `exit`.
    pub outcome: &'static str,
    pub cold: bool,
    pub max_memory_mb: u64,
}

/// A snapshot of a board.
#[derive(Debug, Serialize)]
pub struct Snapshot {
    pub counts: Counts,
    pub environments: Vec<EnvironmentStatus>,
    /// Newest first.
    pub recent: Vec<RecentRun>,
}

/// The board that every part reports to. Nothing in the host depends on it.
#[derive(Debug, Default)]
pub struct Board(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    counts: Counts,
    /// Environments by log stream.
    environments: BTreeMap<String, EnvironmentStatus>,
    recent: VecDeque<RecentRun>,
}

impl Board {
    pub fn snapshot(&self) -> Snapshot {
        let entries = lock(&self.0);
        Snapshot {
            counts: entries.counts.clone(),
            environments: entries.environments.values().cloned().collect(),
            recent: entries.recent.iter().cloned().collect(),
        }
    }

    pub fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut lock(&self.0).counts);
    }

    pub fn ran(&self, invocation: &Invocation, run: &Run) {
        let outcome = outcome_text(&run.outcome);
        let mut entries = lock(&self.0);
        entries.counts.invocations += 1;
        entries.counts.errors += u64::from(outcome != "success");
        entries.counts.timeouts += u64::from(outcome == "timeout");
        entries.counts.billed_ms += run.billed_milliseconds();
        entries.recent.truncate(RECENT_MAX - 1);
        entries.recent.push_front(RecentRun {
            request_id: invocation.request_id.to_string(),
            ended_at: Timestamp::now(),
            duration_ms: u64::try_from(run.duration.as_millis()).unwrap_or(u64::MAX),
            billed_ms: run.billed_milliseconds(),
            outcome,
            cold: run.cold,
            max_memory_mb: run.peak_memory_mb,
        });
    }

    /// Lists a new environment until the listing is dropped.
    pub fn list(self: &Arc<Self>, log_stream: &str, pid: i32) -> Listing {
        let log_stream = log_stream.to_owned();
        let status = EnvironmentStatus {
            log_stream: log_stream.clone(),
            pid,
            state: EnvironmentState::Starting,
            since: Timestamp::now(),
            invocations: 0,
        };
        let mut entries = lock(&self.0);
        entries.counts.cold_starts += 1;
        entries.environments.insert(log_stream.clone(), status);
        Listing {
            board: Arc::clone(self),
            log_stream,
        }
    }
}

/// One environment's entry on the board.
#[derive(Debug)]
pub struct Listing {
    board: Arc<Board>,
    log_stream: String,
}

impl Listing {
    pub fn set(&self, state: EnvironmentState) {
        if let Some(status) = lock(&self.board.0).environments.get_mut(&self.log_stream) {
            status.state = state;
            status.since = Timestamp::now();
            status.invocations += u64::from(matches!(state, EnvironmentState::Running));
        }
    }
}

impl Drop for Listing {
    fn drop(&mut self) {
        lock(&self.board.0).environments.remove(&self.log_stream);
    }
}

fn outcome_text(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Success(_) => "success",
        Outcome::Failure(failure) => match failure.cause {
            FailureCause::Function => "error",
            FailureCause::Timeout => "timeout",
            FailureCause::Exit => "exit",
        },
    }
}
