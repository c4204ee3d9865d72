//! What belongs to an audit, and what it says of that itself.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use payment_core::chain::checker::Span;
use payment_core::{ObjectKey, Timestamp};
use payment_store::audit::{LineTable, RowSpan};
use serde::Serialize;

use super::marks::{MarkKey, Marks};
use crate::range::{Membership, Range, hour_of};

/// What an audit looks at, as it says itself.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    pub bucket: String,
    pub prefix: String,
    pub from: Option<String>,
    pub to: Option<String>,
    /// Objects that S3 stored later are left to their events.
    pub settled_by: String,
    /// Numbers of the last rows that were there at the start, by table.
    pub last_rows: [u64; 3],
}

/// What belongs to the audit.
#[derive(Debug)]
pub struct Scope {
    pub prefix: String,
    pub range: Range,
    /// Time by this machine's clock, which stands in for that of S3.
    pub stored_by: Timestamp,
    /// No tier names an object by this hour or a later one.
    pub ahead_from: Timestamp,
    pub last_rows: [u64; 3],
    pub key: MarkKey,
    /// Which objects are held against the chain; `None` if none are.
    pub chain: Option<Span>,
    /// Keys that belong to the range by when S3 stored their objects; empty where all objects do.
    pub by_time: Mutex<HashSet<u64>>,
    /// Keys by which the tables know the objects that are listed under longer ones.
    pub shortened: Mutex<HashSet<u64>>,
}

/// Where an object's key lies, as seen from the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belonging {
    Inside,
    OutsideRange,
    /// It is no object of the journal.
    OutsidePrefix,
}

impl Scope {
    /// The mark of a row that a line accounts for; one that came after the start is not looked for.
    pub fn mark(&self, table: LineTable, row: u64) -> Marks {
        if row <= self.last_row(table) {
            self.key.mark(row)
        } else {
            Marks::default()
        }
    }

    pub fn last_row(&self, table: LineTable) -> u64 {
        let tables = LineTable::ALL.iter().zip(self.last_rows);
        let of_table = tables.filter(|(one, _)| **one == table);
        of_table.map(|(_, last)| last).sum()
    }

    /// All rows that were there at the start.
    pub fn rows(&self, table: LineTable) -> RowSpan {
        RowSpan::until(self.last_row(table))
    }

    /// The object belongs to the range, as its time says.
    pub fn note_by_time(&self, key: &ObjectKey) {
        let key = key.recorded();
        if self.range.membership(&self.prefix, key.as_str()) == Membership::ByTime {
            insert(&self.by_time, self.key.of_key(key.as_str()));
        }
    }

    /// The object is listed, in whatever range.
    pub fn note_listed(&self, key: &ObjectKey) {
        if let Cow::Owned(short) = key.recorded() {
            insert(&self.shortened, self.key.of_key(short.as_str()));
        }
    }

    /// Whether the key is the shorter one of an object that was listed.
    pub fn is_shortened(&self, key: &str) -> bool {
        contains(&self.shortened, self.key.of_key(key))
    }

    /// Whether an object outside the range is to be read for what its header says of those inside.
    pub fn is_at_its_border(&self, key: &ObjectKey) -> bool {
        let span = self.chain.as_ref().zip(key.batch_time());
        key.as_str().starts_with(&self.prefix)
            && span.is_some_and(|(span, at)| span.read.contains(at))
    }

    pub fn is_ahead(&self, key: &ObjectKey) -> bool {
        hour_of(&self.prefix, key.as_str()).is_some_and(|hour| hour >= self.ahead_from)
    }

    /// Rows that name an object inside are those that the lines account for.
    pub fn belonging(&self, key: &str) -> Belonging {
        if !key.starts_with(&self.prefix) {
            return Belonging::OutsidePrefix;
        }
        let is_inside = match self.range.membership(&self.prefix, key) {
            Membership::Inside => true,
            Membership::Outside => false,
            Membership::ByTime => contains(&self.by_time, self.key.of_key(key)),
        };
        if is_inside {
            Belonging::Inside
        } else {
            Belonging::OutsideRange
        }
    }
}

fn insert(keys: &Mutex<HashSet<u64>>, key: u64) {
    keys.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(key);
}

fn contains(keys: &Mutex<HashSet<u64>>, key: u64) -> bool {
    keys.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&key)
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)?;
        if let Some(from) = &self.from {
            write!(f, ", from {from}")?;
        }
        if let Some(to) = &self.to {
            write!(f, ", to {to}")?;
        }
        if self.from.is_some() || self.to.is_some() {
            write!(f, " (hours whole)")?;
        }
        let [transactions, conflicts, rejects] = self.last_rows;
        write!(
            f,
            ", settled by {}; rows up to transactions {transactions}, conflicts {conflicts}, rejects {rejects}",
            self.settled_by
        )
    }
}
