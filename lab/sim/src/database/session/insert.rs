//! One INSERT: it claims its unique keys row by row, and stores all of its rows or none.

use payment_store::backend::{DriverError, Entry, ErrorKind, VersionColumns};
use tokio::time::{Instant, timeout_at};

use super::super::tables::{Claim, Row, Unique, Version, Write};
use super::super::{REFUSED, away};
use super::{LOCK_WAIT_MAX, ModelSession};
use crate::clock;
use crate::fault::{Defect, Fault};
use crate::world::lock;

impl ModelSession {
    /// Inserts all rows or none.
    pub(super) async fn insert(&mut self, writes: Vec<Write>) -> Result<u64, DriverError> {
        let transaction = self.send_write().await?;
        let kept = lock(&self.model.tables).claims(transaction);
        for write in &writes {
            let claimed = match write {
                Write::Payment(row) | Write::Conflict(row) if is_refused(row) => Err(self.refuse()),
                Write::Payment(_) if self.model.world.has(Defect::NoUniqueKey) => Ok(()),
                _ => self.claim(transaction, &self.unique(write)).await,
            };
            if let Err(error) = claimed {
                lock(&self.model.tables).unclaim(transaction, kept);
                self.model.ended.notify_waiters();
                return Err(error);
            }
        }
        let stored = u64::try_from(writes.len()).unwrap_or(u64::MAX);
        lock(&self.model.tables).write(transaction, writes);
        Ok(stored)
    }

    fn unique(&self, write: &Write) -> Unique {
        match write.unique() {
            Unique::Payment(payment) if self.model.world.has(Defect::ClientIgnored) => {
                Unique::Payment(payment.id.into())
            }
            unique => unique,
        }
    }

    fn refuse(&self) -> DriverError {
        self.model.world.hit(Fault::DataRefused);
        DriverError::fault(ErrorKind::DataRefused, "server error 3819 (HY000)")
    }

    async fn claim(&mut self, transaction: u64, unique: &Unique) -> Result<(), DriverError> {
        let until = Instant::now() + LOCK_WAIT_MAX;
        loop {
            let model = self.model.clone();
            // Subscribes before it claims, so that no end of a transaction is missed.
            let ended = model.ended.notified();
            let claim = lock(&model.tables).claim(transaction, unique);
            match claim {
                Claim::Free => return Ok(()),
                Claim::Taken => {
                    return Err(DriverError::fault(
                        ErrorKind::KeyTaken,
                        "server error 1062 (23000)",
                    ));
                }
                Claim::Deadlock => return Err(self.deadlock()),
                Claim::Held => model.world.hit(Fault::SessionsMeet),
            }
            let waited = timeout_at(until, ended).await;
            lock(&model.tables).waits_no_longer(transaction);
            if waited.is_err() {
                return Err(away("server error 1205: lock wait timeout"));
            }
        }
    }

    pub(super) fn row(object: VersionColumns<'_>, entry: &Entry<'_>) -> Row {
        Row {
            record: entry.record.clone(),
            extra: entry.extra.clone(),
            object: Version::of(object),
            line: entry.line,
            recorded_ms: clock::ms(),
        }
    }
}

fn is_refused(row: &Row) -> bool {
    row.record.payment.transaction() == Some(REFUSED)
}
