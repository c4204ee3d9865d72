//! What one look found.

use std::time::Duration;

use lab_runner::fault::Target;
use lab_runner::part::PartName;
use lab_runner::state::status::PartStatus;
use time::OffsetDateTime;

use crate::source::function::Function;
use crate::source::pulse::Answer;
use crate::source::tier::Figures;

/// One look at all parts; nothing where one did not answer.
#[derive(Debug)]
pub struct Look {
    /// When it began: nothing in it is older.
    pub at: OffsetDateTime,
    /// Seconds since the look before began.
    pub seconds: f64,
    pub tiers: Vec<(PartName, Option<Figures>)>,
    pub function: Option<Function>,
    /// How many there are, and the longest lag of the new ones.
    pub rows: Option<(u64, Option<Duration>)>,
    pub dead_letters: Option<u64>,
    /// Events in the queue before the function.
    pub queued: Option<u64>,
    /// Names of the faults that are on.
    pub faults: Vec<(Target, Option<Vec<String>>)>,
    /// As the supervisor has them.
    pub parts: Option<Vec<PartStatus>>,
    /// As they answer the console.
    pub answers: Vec<(PartName, Answer)>,
}

impl Default for Look {
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
