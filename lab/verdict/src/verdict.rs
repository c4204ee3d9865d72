//! The result of judging a history.

use std::fmt;

use serde::Serialize;

/// Counts, and every rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Verdict {
    /// The sum of the next five.
    pub attempts: u64,
    pub acknowledged: u64,
    /// Answered with a 4xx other than 409.
    pub refused: u64,
    /// Answered with a 5xx.
    pub failed: u64,
    pub unanswered: u64,
    pub conflicts_answered: u64,
    pub rows: u64,
    pub conflict_rows: u64,
    pub broken: Vec<Breach>,
    /// Longest time from a payment's first 2xx answer to its row.
    pub slowest_ms: Option<u64>,
    /// Repeats that were answered as new, with another receipt. Allowed: a node does not know what another one
    /// answered.
    pub second_yes: u64,
}

/// A rule that was broken. Holds ids, keys and names of members, but nothing of a payment's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Breach {
    pub kind: BreachKind,
    pub id: String,
    pub detail: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreachKind {
    /// Accepted, but no row has the id.
    Lost,
    /// Two rows with one id, or one line of the journal recorded twice.
    Doubled,
    /// A row or a conflict has content that nobody sent under its id.
    Altered,
    /// A row or a conflict has an id that nobody sent.
    WithoutRequest,
    /// Accepted, but the row has different content and no conflict holds this one.
    ConflictMissing,
    /// Answered with 4xx each time, but recorded.
    RefusedButRecorded,
    /// Answered 409, but the client sent no other content under the id.
    ConflictWithNothing,
    /// A caller without a valid credential was not answered 401.
    LetIn,
    /// A caller with a valid credential was answered 401.
    KeptOut,
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
            Self::ConflictWithNothing => "conflict with nothing",
            Self::LetIn => "let in",
            Self::KeptOut => "kept out",
        })
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.kind, self.id, self.detail)
    }
}

/// Most breaches that are printed; the rest are counted.
const SHOWN_MAX: usize = 20;

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, count) in [
            ("requests", self.attempts),
            ("  accepted", self.acknowledged),
            ("  of these, repeats accepted as new", self.second_yes),
            ("  answered 409", self.conflicts_answered),
            ("  answered with another 4xx", self.refused),
            ("  answered with 5xx", self.failed),
            ("  not answered", self.unanswered),
            ("rows", self.rows),
            ("conflicts", self.conflict_rows),
        ] {
            writeln!(f, "{name:<38}{count:>10}")?;
        }
        if let Some(slowest) = self.slowest_ms {
            writeln!(f, "{:<38}{slowest:>7} ms", "slowest from answer to row")?;
        }
        writeln!(f, "{:<38}{:>10}", "broken", self.broken.len())?;
        for breach in self.broken.iter().take(SHOWN_MAX) {
            writeln!(f, "  {breach}")?;
        }
        match self.broken.len().checked_sub(SHOWN_MAX) {
            Some(more @ 1..) => writeln!(f, "  and {more} more"),
            _ => Ok(()),
        }
    }
}
