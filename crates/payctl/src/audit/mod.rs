//! The log held against the database, in three parts that run one after the other.
//!
//! - [`log`]: every object, by the ledger and line by line (`check`). Several objects are read at a time.
//! - [`rows`]: rows that no line accounts for. A count says whether there are any; only then are they searched for.
//! - [`hashes`]: every row against its own hash.
//!
//! Findings go to the `report` as they are made. At most [`BYTES_MAX`] of objects are in memory, and 512 rows for
//! each object at work, however large the log is.

mod check;
mod difference;
pub mod hashes;
pub mod log;
mod report;
pub mod rows;

use std::sync::Arc;
use std::time::Duration;

use lambda_ingest::objects::ObjectError;
use payment_core::{ObjectKey, Timestamp};
use payment_store::Store;
use payment_store::audit::{KeySpan, Row};
use time::OffsetDateTime;

pub use self::report::Report;
use crate::log::Log;
use crate::range::{Range, moved};
use crate::walk::WalkError;

/// Bytes of objects in work at one time; a larger one is read alone.
const BYTES_MAX: u32 = 32 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error("the database can't be asked")]
    Store(#[from] payment_store::Error),
    #[error("the object {key:?} can't be read")]
    Object {
        key: String,
        #[source]
        source: ObjectError,
    },
    #[error("a part of the work ended by itself; this is a defect")]
    Task(#[from] tokio::task::JoinError),
    #[error("the findings can't be written")]
    Output(#[from] std::io::Error),
}

impl AuditError {
    fn object(key: &ObjectKey, source: ObjectError) -> Self {
        Self::Object {
            key: key.to_string(),
            source,
        }
    }
}

/// What is audited, and how.
#[derive(Debug)]
pub struct Audit {
    log: Arc<Log>,
    store: Store,
    range: Range,
    scope: Arc<Scope>,
    jobs: usize,
}

/// What is old enough to be judged.
#[derive(Debug)]
struct Scope {
    /// Keys whose rows are counted.
    span: KeySpan,
    /// By the database's clock.
    recorded_by: Timestamp,
    /// By this machine's clock, which stands in for that of S3.
    stored_by: Timestamp,
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
        let scope = Scope {
            span: range.countable(&log.place.prefix),
            recorded_by: moved(store.clock().await?, -settle),
            stored_by: moved(Timestamp::new(OffsetDateTime::now_utc()), -settle),
        };
        Ok(Self {
            log,
            store,
            range,
            scope: Arc::new(scope),
            jobs,
        })
    }
}

impl Scope {
    /// Whether the row is one of those that are counted.
    fn counts(&self, row: &Row) -> bool {
        row.recorded_at <= self.recorded_by && self.span.contains(&row.object_key)
    }
}
