//! The result of one poll.

use std::time::Duration;

use lab_runner::fault::FaultTarget;
use lab_runner::part::PartName;
use lab_runner::state::status::PartStatus;
use time::OffsetDateTime;

use crate::source::function::Function;
use crate::source::pulse::Answer;
use crate::source::tier::Figures;

/// The answers of all parts to one poll; `None` for a part that did not answer.
#[derive(Debug)]
pub struct Snapshot {
    /// When the poll began: nothing in it is older.
    pub at: OffsetDateTime,
    /// Seconds since the previous poll began.
    pub seconds: f64,
    pub tiers: Vec<(PartName, Option<Figures>)>,
    pub function: Option<Function>,
    /// Number of rows, and the longest lag of the new ones.
    pub rows: Option<(u64, Option<Duration>)>,
    pub dead_letters: Option<u64>,
    /// Queued events in front of the function.
    pub queued: Option<u64>,
    /// Names of the faults that are on, by target.
    pub faults: Vec<(FaultTarget, Option<Vec<String>>)>,
    /// The supervisor's view.
    pub parts: Option<Vec<PartStatus>>,
    /// Answers to the console's health checks.
    pub answers: Vec<(PartName, Answer)>,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            at: OffsetDateTime::UNIX_EPOCH,
            seconds: 1.0,
            tiers: Vec::new(),
            function: None,
            rows: None,
            dead_letters: None,
            queued: None,
            faults: Vec::new(),
            parts: None,
            answers: Vec::new(),
        }
    }
}
