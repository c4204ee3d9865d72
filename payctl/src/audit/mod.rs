//! The journal held against the database, in three parts that run one after the other.
//!
//! - [`journal`]: every object, by the ledger and line by line (`check`). Several objects are read at a time.
//! - [`rows`]: rows that no line accounts for. Their `marks` say whether there are any; only then are they searched for.
//! - [`hashes`]: every row against its own hash.
//!
//! Findings go to the `report` as they are made, and what can't be looked at is counted and said: nothing ends an audit
//! but its end. At most [`BYTES_MAX`] of objects are in memory, and 512 rows for each object at work, however large the
//! journal is; besides, in a run with a range, 16 bytes for each of its objects that is not in an hour's folder.

mod check;
mod counts;
mod difference;
pub mod hashes;
pub mod journal;
mod marks;
mod report;
pub mod rows;

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use payment_core::Timestamp;
use payment_store::Store;
use payment_store::audit::LineTable;
use serde::Serialize;
use time::OffsetDateTime;

use self::marks::{MarkKey, Marks};
pub use self::report::Report;
use crate::config::Place;
use crate::log::Log;
use crate::range::{Membership, Range, moved};

/// Bytes of objects in work at one time; a larger one is read alone.
const BYTES_MAX: u32 = 32 * 1024 * 1024;

/// What ends an audit: everything else is a finding or a gap.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error("the database can't be asked")]
    Store(#[from] payment_store::Error),
    #[error("a part of the work ended by itself; this is a defect")]
    Task(#[from] tokio::task::JoinError),
    #[error("the findings can't be written")]
    Output(#[from] std::io::Error),
}

/// What is audited, and how.
#[derive(Debug)]
pub struct Audit {
    log: Arc<Log>,
    store: Store,
    scope: Arc<Scope>,
    jobs: usize,
    covered: Coverage,
}

/// What an audit looks at, as it says itself.
#[derive(Debug, Clone, Serialize)]
pub struct Coverage {
    bucket: String,
    prefix: String,
    from: Option<String>,
    to: Option<String>,
    /// Objects that S3 stored later are left to their events.
    settled_by: String,
    /// Numbers of the last rows that were there at the start, by table.
    last_rows: [u64; 3],
}

/// What belongs to the audit.
#[derive(Debug)]
struct Scope {
    prefix: String,
    range: Range,
    /// By this machine's clock, which stands in for that of S3.
    stored_by: Timestamp,
    last_rows: [u64; 3],
    key: MarkKey,
    /// Keys that belong to the range by when S3 stored their objects; empty where all objects do.
    by_time: Mutex<HashSet<u64>>,
}

impl Audit {
    pub async fn new(
        log: Arc<Log>,
        store: Store,
        range: Range,
        settle: Duration,
        jobs: usize,
    ) -> Result<Self, AuditError> {
        let settle = time::Duration::try_from(settle).unwrap_or(time::Duration::MAX);
        let stored_by = moved(Timestamp::new(OffsetDateTime::now_utc()), -settle);
        let mut last_rows = [0; 3];
        for (table, last) in LineTable::ALL.into_iter().zip(&mut last_rows) {
            *last = store.last_row(table).await?;
        }
        let Place { bucket, prefix } = log.place.clone();
        Ok(Self {
            covered: Coverage {
                bucket,
                prefix: prefix.clone(),
                from: range.from.map(|from| from.to_string()),
                to: range.to.map(|to| to.to_string()),
                settled_by: stored_by.to_string(),
                last_rows,
            },
            log,
            store,
            scope: Arc::new(Scope {
                prefix,
                range,
                stored_by,
                last_rows,
                key: MarkKey::default(),
                by_time: Mutex::default(),
            }),
            jobs,
        })
    }

    pub fn covered(&self) -> &Coverage {
        &self.covered
    }
}

impl Scope {
    /// The mark of a row that a line accounts for; one that came after the start is not looked for.
    fn mark(&self, table: LineTable, row: u64) -> Marks {
        if row <= self.last_row(table) {
            self.key.mark(row)
        } else {
            Marks::default()
        }
    }

    fn last_row(&self, table: LineTable) -> u64 {
        let tables = LineTable::ALL.iter().zip(self.last_rows);
        let of_table = tables.filter(|(one, _)| **one == table);
        of_table.map(|(_, last)| last).sum()
    }

    /// The object belongs to the range, as its time says.
    fn note_by_time(&self, key: &str) {
        if self.range.membership(&self.prefix, key) == Membership::ByTime {
            let mut keys = self.by_time.lock().unwrap_or_else(PoisonError::into_inner);
            keys.insert(self.key.of_key(key));
        }
    }

    /// Whether a row that names this object is one of those that the lines account for.
    fn holds(&self, key: &str) -> bool {
        match self.range.membership(&self.prefix, key) {
            Membership::Inside => true,
            Membership::Outside => false,
            Membership::ByTime => {
                let keys = self.by_time.lock().unwrap_or_else(PoisonError::into_inner);
                keys.contains(&self.key.of_key(key))
            }
        }
    }
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
