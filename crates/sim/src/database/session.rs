//! A connection to the model, and what each statement does there.

mod insert;
mod way;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{ContentHash, ObjectKey, PaymentId};
use payment_store::backend::{DriverError, Entry, KeyColumn, Origin, Reject, Session};
use payment_store::{Error, Found, Holder, Outcome};

use super::tables::{Row, Unique, Write};
use super::{Model, away};
use crate::clock;
use crate::fault::{Defect, Fault};
use crate::world::lock;

/// As sessions set it in MySQL.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub struct ModelSession {
    model: Model,
    transaction: Option<u64>,
    /// COMMIT is on its way.
    committing: bool,
    /// The connection is gone.
    broken: bool,
    /// What the last insert of payments said of each id, for [`Defect::AnyContentIsTheSame`].
    said: HashMap<String, ContentHash>,
}

impl ModelSession {
    pub(super) fn new(model: Model) -> Self {
        Self {
            model,
            transaction: None,
            committing: false,
            broken: false,
            said: HashMap::new(),
        }
    }

    fn payment(&self, id: &PaymentId) -> Option<Row> {
        let unique = Unique::Payment(id.to_string());
        match lock(&self.model.tables).find(self.transaction, &unique) {
            Some(Write::Payment(row)) => Some(row.clone()),
            _ => None,
        }
    }

    fn has(&self, unique: &Unique) -> bool {
        let tables = lock(&self.model.tables);
        tables.find(self.transaction, unique).is_some()
    }
}

impl Session for ModelSession {
    async fn begin(&mut self) -> Result<(), DriverError> {
        self.send().await?;
        self.transaction = Some(lock(&self.model.tables).begin());
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DriverError> {
        if self.broken {
            return Err(away("the connection is gone"));
        }
        let world = self.model.world.clone();
        self.committing = true;
        world.pass(1..=4).await;
        self.committing = false;
        if world.weather().database == Some(Fault::DatabaseDown) || world.fault(Fault::CommitLost) {
            self.cut();
            return Err(away("server error 2013: lost connection"));
        }
        if let Some(transaction) = self.transaction.take() {
            if world.has(Defect::TakenWithoutRows) && world.chance(0.05) {
                lock(&self.model.tables).commit_mark_alone(transaction);
            }
            self.model.commit(transaction);
        }
        if world.fault(Fault::CommitUnanswered) {
            self.broken = true;
            return Err(away("server error 2013: lost connection"));
        }
        world.pass(1..=4).await;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.send().await?;
        if let Some(transaction) = self.transaction.take() {
            self.model.roll_back(transaction);
        }
        Ok(())
    }

    async fn insert_payments(
        &mut self,
        key: KeyColumn<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        let said = |entry: &&Entry<'_>| (entry.id().to_string(), entry.record.content_hash);
        self.said = rows.iter().map(said).collect();
        let writes = rows
            .iter()
            .map(|entry| Write::Payment(Self::row(key, entry)));
        self.insert(writes.collect()).await
    }

    async fn insert_conflicts(
        &mut self,
        key: KeyColumn<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        let writes = rows
            .iter()
            .map(|entry| Write::Conflict(Self::row(key, entry)));
        self.insert(writes.collect()).await
    }

    async fn insert_rejects(
        &mut self,
        key: KeyColumn<'_>,
        rows: &[&Reject],
    ) -> Result<u64, DriverError> {
        let writes = rows.iter().map(|reject| Write::Reject {
            key: key.as_str().to_owned(),
            line: reject.line,
        });
        self.insert(writes.collect()).await
    }

    async fn insert_ingested(
        &mut self,
        key: KeyColumn<'_>,
        outcome: &Outcome,
    ) -> Result<u64, DriverError> {
        let write = Write::Object {
            key: key.as_str().to_owned(),
            outcome: *outcome,
        };
        self.insert(vec![write]).await
    }

    async fn ingested(&mut self, key: KeyColumn<'_>) -> Result<Option<Outcome>, Error> {
        self.send().await?;
        let unique = Unique::Object(key.as_str().to_owned());
        let tables = lock(&self.model.tables);
        Ok(match tables.find(self.transaction, &unique) {
            Some(Write::Object { outcome, .. }) => Some(Outcome {
                already: true,
                failed: 0,
                ..*outcome
            }),
            _ => None,
        })
    }

    async fn origins(&mut self, ids: &[&PaymentId]) -> Result<Vec<Origin>, Error> {
        self.send().await?;
        let origin = |row: Row| {
            let id = row.record.payment.id().to_string();
            let said = self.said.get(&id).copied();
            let same = said.filter(|_| self.model.world.has(Defect::AnyContentIsTheSame));
            Origin {
                payment_id: id,
                content_hash: same.unwrap_or(row.record.content_hash),
                object_key: row.key,
                object_line: row.line,
            }
        };
        let rows = ids.iter().filter_map(|id| self.payment(id));
        Ok(rows.map(origin).collect())
    }

    async fn conflict_lines(
        &mut self,
        key: KeyColumn<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        self.send().await?;
        let unique = |line| Unique::Conflict(key.as_str().to_owned(), line);
        let is_there = |line: &u32| self.has(&unique(*line));
        Ok(lines.iter().copied().filter(is_there).collect())
    }

    async fn reject_lines(
        &mut self,
        key: KeyColumn<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        self.send().await?;
        let unique = |line| Unique::Reject(key.as_str().to_owned(), line);
        let is_there = |line: &u32| self.has(&unique(*line));
        Ok(lines.iter().copied().filter(is_there).collect())
    }

    async fn find(&mut self, id: &PaymentId) -> Result<Option<Found>, Error> {
        self.send().await?;
        let Some(row) = self.payment(id) else {
            return Ok(None);
        };
        let conflicts = lock(&self.model.tables).conflicts_of(id.as_str());
        found(row, conflicts).map(Some)
    }

    async fn holders(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, Holder)>, Error> {
        self.send().await?;
        let holder = |id: &PaymentId| {
            let record = self.payment(id)?.record;
            let holder = Holder {
                content_hash: record.content_hash,
                received_at: record.received_at,
                request_id: record.request_id,
            };
            Some((id.clone(), holder))
        };
        Ok(ids.iter().filter_map(holder).collect())
    }

    async fn ingested_among(&mut self, keys: &[KeyColumn<'_>]) -> Result<HashSet<String>, Error> {
        self.send().await?;
        let keys = keys.iter().map(|key| key.as_str().to_owned());
        Ok(keys
            .filter(|key| self.has(&Unique::Object(key.clone())))
            .collect())
    }

    fn end(self) {}
}

fn found(row: Row, conflicts: usize) -> Result<Found, Error> {
    let unreadable = |column| Error::Unreadable { column };
    let payment = &row.record.payment;
    Ok(Found {
        transaction: payment.transaction().map(str::to_owned),
        amount: payment.amount(),
        currency: payment.currency(),
        status: payment.status(),
        payer_name: payment.payer_name().map(str::to_owned),
        extra: row.extra,
        received_at: row.record.received_at,
        recorded_at: clock::now(),
        request_id: row.record.request_id.clone(),
        content_hash: row.record.content_hash,
        object_key: ObjectKey::parse(&row.key).ok_or_else(|| unreadable("object_key"))?,
        object_line: row.line,
        conflicts: u64::try_from(conflicts).map_err(|_| unreadable("conflicts"))?,
    })
}
