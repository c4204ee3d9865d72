//! What came of a history.

use std::fmt;

use serde::Serialize;

/// Counts, and every rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// The sum of the next five.
    pub attempts: u64,
    pub acknowledged: u64,
    /// Answered with a 4xx that is no 409.
    pub refused: u64,
    /// Answered with a 5xx.
    pub failed: u64,
    pub unanswered: u64,
    pub conflicts_answered: u64,
    pub rows: u64,
    pub conflict_rows: u64,
    pub broken: Vec<Breach>,
    /// Longest time from a payment's first yes to its row.
    pub slowest_ms: Option<u64>,
    /// Repeats that were answered as new, with another receipt. Allowed: a node does not know what the other said.
    pub second_yes: u64,
}

/// A rule that was broken. Holds ids, keys and names of members, and nothing of what a payment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub kind: BreachKind,
    pub id: String,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachKind {
    /// Answered with yes, and no row has the id.
    Lost,
    /// Two rows of one id, or one line of the log recorded twice.
    Doubled,
    /// A row or a conflict says what nobody sent under its id.
    Altered,
    /// A row or a conflict whose id nobody sent.
    WithoutRequest,
    /// Answered with yes, but the row is other content's and no conflict holds this.
    ConflictMissing,
    /// Answered with 4xx each time, and recorded all the same.
    RefusedButRecorded,
}

impl Verdict {
    pub fn holds(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for BreachKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Lost => "lost",
            Self::Doubled => "doubled",
            Self::Altered => "altered",
            Self::WithoutRequest => "without request",
            Self::ConflictMissing => "conflict missing",
            Self::RefusedButRecorded => "refused but recorded",
        })
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind, self.id, self.detail)
    }
}

/// Breaches that are written out; the rest are counted.
const SHOWN_MAX: usize = 20;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in [
            ("requests", self.attempts),
            ("  answered with yes", self.acknowledged),
            ("  of these anew for a repeat", self.second_yes),
            ("  answered 409", self.conflicts_answered),
            ("  answered with another 4xx", self.refused),
            ("  answered with 5xx", self.failed),
            ("  not answered", self.unanswered),
            ("rows", self.rows),
            ("conflicts", self.conflict_rows),
        ] {
            writeln!(f, "{name:<30}{count:>10}")?;
        }
        if let Some(slowest) = self.slowest_ms {
            writeln!(f, "{:<30}{slowest:>7} ms", "slowest from yes to row")?;
        }
        writeln!(f, "{:<30}{:>10}", "broken", self.broken.len())?;
        for breach in self.broken.iter().take(SHOWN_MAX) {
            writeln!(f, "  {breach}")?;
        }
        match self.broken.len().checked_sub(SHOWN_MAX) {
            Some(more @ 1..) => writeln!(f, "  and {more} more"),
            _ => Ok(()),
        }
    }
}
