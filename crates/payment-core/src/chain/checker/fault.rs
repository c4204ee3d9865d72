//! What a checker names.

use std::fmt;

use super::super::{Node, ObjectHash, RunId};
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

/// One way in which the objects of the journal contradict each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The object concerned: of several, the first; of numbers without an object, the one behind them.
    pub object: ObjectKey,
    /// Its run, as far as a header says.
    pub run: Option<RunId>,
    /// Its number in the run; of several, the first.
    pub seq: Option<u64>,
    pub what: What,
}

/// What is wrong, or can't be known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    #[error("{by} names it as stored, and it is not there")]
    Missing { by: ObjectKey, expected: ObjectHash },
    #[error("it is not the object that {by} names, with SHA-256 {expected}")]
    Changed { by: ObjectKey, expected: ObjectHash },
    /// Deleted, or made up by that header, against which others speak.
    #[error(
        "{by} names it as stored, and no such object is there; but others speak against that header"
    )]
    Doubtful { by: ObjectKey, expected: ObjectHash },
    /// No fault yet: it lies outside the span, and was not seen. Whoever has the journal asks for it.
    #[error("{by} names it, with SHA-256 {expected}")]
    Unseen {
        by: ObjectKey,
        expected: ObjectHash,
        /// Whether S3 confirmed it; if not, it may be stored or not.
        is_confirmed: bool,
    },
    #[error("{0}")]
    Inserted(Inserted),
    #[error(
        "no object before it has the numbers {first} to {last}, and none says what became of them"
    )]
    Gap { first: u64, last: u64 },
    #[error("what it says of number {seq} contradicts {other}")]
    Contradiction { seq: u64, other: ObjectKey },
    /// Forged, or the node's clock was set back over the begin of the span: what says which lies before it.
    #[error("its run had come to number {last} before the range; verify a range that holds both")]
    Passed { last: u64 },
    #[error("it has no header, and objects before it have one")]
    Unchained,
    /// No fault of these objects: what vouched for them is gone.
    #[error("{0}")]
    Unvouched(Unvouched),
}

/// Numbers of a run, next to each other, that no object vouches for, since one that should is missing, changed or
/// unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unvouched {
    pub first: u64,
    pub last: u64,
    /// Objects that have one of these numbers; 0 if nobody says what became of them.
    pub objects: u64,
    /// The object with the highest of the numbers.
    pub last_object: ObjectKey,
}

impl fmt::Display for Unvouched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, .. } = self;
        match self.objects {
            0 => write!(
                f,
                "no object says what became of the numbers {first} to {last}"
            ),
            1 => write!(f, "no object vouches for it"),
            objects => write!(f, "no object vouches for these {objects} objects"),
        }?;
        write!(f, ", since one that should is missing, changed or unread")
    }
}

impl What {
    /// Whether it says that something is not known.
    pub fn is_unknown(&self) -> bool {
        matches!(
            self,
            Self::Unvouched(_) | Self::Passed { .. } | Self::Doubtful { .. }
        )
    }
}

/// Why an object is none that its run wrote. Where it is so by the word of another object, headers do not tell which of the
/// two is forged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Inserted {
    #[error("no tier names an object so: its folder is not that of the time in its UUID")]
    Hour,
    #[error("its first line is no right header of an object with this key")]
    Header,
    #[error("{by} gives its number to {to}")]
    Taken { by: ObjectKey, to: ObjectKey },
    #[error("{0} has the same number, and gives this object another")]
    Renumbered(ObjectKey),
    #[error("{0} has the same number, and no header says which of them is right")]
    Twice(ObjectKey),
    #[error("{0} ends its run or was sealed long after it, and no header names it")]
    NeverNamed(ObjectKey),
    #[error("{0} came before it and has its number or a higher one, when its own was settled")]
    Late(ObjectKey),
    #[error("its run ended with {0}")]
    AfterEnd(ObjectKey),
}

/// A run whose end was not seen: it goes on, or its process died, or somebody cut it off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    pub run: RunId,
    pub node: Node,
    /// Its last number that was seen.
    pub last: u64,
    /// When its last object was received.
    pub last_at: Timestamp,
    /// Objects that no header names yet: the ledger and the rows alone vouch for them.
    pub open: u64,
}
