//! What is audited, and how.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use payment_core::Timestamp;
use payment_core::chain::checker::Span;
use payment_store::Store;
use payment_store::audit::LineTable;
use time::OffsetDateTime;

use super::marks::MarkKey;
use super::scope::{Coverage, Scope};
use crate::config::JournalLocation;
use crate::journal::Journal;
use crate::range::{Range, moved};

#[derive(Debug)]
pub struct Audit {
    pub(super) log: Arc<Journal>,
    pub(super) store: Store,
    pub(super) scope: Arc<Scope>,
    pub(super) jobs: usize,
    covered: Coverage,
}

impl Audit {
    pub async fn new(
        log: Arc<Journal>,
        store: Store,
        range: Range,
        settle: Duration,
        jobs: usize,
        chain: Option<Span>,
    ) -> Result<Self, payment_store::Error> {
        let settle = time::Duration::try_from(settle).unwrap_or(time::Duration::MAX);
        let now = Timestamp::new(OffsetDateTime::now_utc());
        let stored_by = moved(now, -settle);
        let mut last_rows = [0; 3];
        for (table, last) in LineTable::ALL.into_iter().zip(&mut last_rows) {
            *last = store.last_row(table).await?;
        }
        let JournalLocation { bucket, prefix } = log.place.clone();
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
                ahead_from: moved(now, time::Duration::HOUR),
                last_rows,
                key: MarkKey::default(),
                chain,
                by_time: Mutex::default(),
                shortened: Mutex::default(),
            }),
            jobs,
        })
    }

    pub fn log(&self) -> &Journal {
        &self.log
    }

    pub fn prefix(&self) -> &str {
        &self.scope.prefix
    }

    pub fn covered(&self) -> &Coverage {
        &self.covered
    }
}
