//! A connection to the model, and the effect of each statement.

mod insert;
mod way;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{ContentHash, ETag, ObjectKey, ObjectVersion, PaymentKey, Timestamp};
use payment_store::backend::{
    Deferred, DriverError, Entry, ErrorKind, LedgerKey, Origin, Reject, Session, VersionColumns,
};
use payment_store::{Error, Fingerprint, Found, Holder, Outcome, Rejection};

use super::tables::{Row, Unique, Version, Write};
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
    /// COMMIT is in flight.
    committing: bool,
    /// The connection is broken.
    broken: bool,
    /// What the last insert of payments said of each, for [`Defect::AnyContentIsTheSame`].
    said: HashMap<PaymentKey, ContentHash>,
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

    fn payment(&self, payment: &PaymentKey) -> Option<Row> {
        let unique = Unique::Payment(payment.clone());
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
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        let said = |entry: &&Entry<'_>| (entry.key().clone(), entry.record.content_hash);
        self.said = rows.iter().map(said).collect();
        let writes = rows
            .iter()
            .map(|entry| Write::Payment(Self::row(object, entry)));
        self.insert(writes.collect()).await
    }

    async fn insert_conflicts(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        let writes = rows
            .iter()
            .map(|entry| Write::Conflict(Self::row(object, entry)));
        self.insert(writes.collect()).await
    }

    async fn insert_rejects(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Reject],
    ) -> Result<u64, DriverError> {
        let writes = rows.iter().map(|reject| Write::Reject {
            object: Version::of(object),
            line: reject.line,
            own: reject
                .payment
                .as_ref()
                .filter(|_| reject.is_own)
                .cloned()
                .map(|payment| (payment, reject.reason)),
        });
        self.insert(writes.collect()).await
    }

    async fn insert_ingested(
        &mut self,
        object: VersionColumns<'_>,
        outcome: &Outcome,
        fingerprint: Fingerprint,
    ) -> Result<u64, DriverError> {
        let write = Write::Object {
            object: Version::of(object),
            outcome: *outcome,
            fingerprint,
        };
        self.insert(vec![write]).await
    }

    async fn ingested(&mut self, object: VersionColumns<'_>) -> Result<Option<Outcome>, Error> {
        self.send().await?;
        let unique = Unique::Object(Version::of(object));
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

    async fn origins(&mut self, payments: &[&PaymentKey]) -> Result<Vec<Origin>, Error> {
        self.send().await?;
        let origin = |row: Row| {
            let payment = row.record.payment.key().clone();
            let said = self.said.get(&payment).copied();
            let same = said.filter(|_| self.model.world.has(Defect::AnyContentIsTheSame));
            Origin {
                payment,
                content_hash: same.unwrap_or(row.record.content_hash),
                object_key: row.object.key,
                object_line: row.line,
            }
        };
        let rows = payments.iter().filter_map(|payment| self.payment(payment));
        Ok(rows.map(origin).collect())
    }

    async fn conflict_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        self.send().await?;
        let unique = |line| Unique::Conflict(Version::of(object), line);
        let is_there = |line: &u32| self.has(&unique(*line));
        Ok(lines.iter().copied().filter(is_there).collect())
    }

    async fn reject_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        self.send().await?;
        let unique = |line| Unique::Reject(Version::of(object), line);
        let is_there = |line: &u32| self.has(&unique(*line));
        Ok(lines.iter().copied().filter(is_there).collect())
    }

    async fn find(&mut self, payment: &PaymentKey) -> Result<Option<Found>, Error> {
        self.send().await?;
        let Some(row) = self.payment(payment) else {
            return Ok(None);
        };
        let conflicts = lock(&self.model.tables).conflicts_of(payment);
        found(row, conflicts).map(Some)
    }

    async fn rejection(&mut self, payment: &PaymentKey) -> Result<Option<Rejection>, Error> {
        self.send().await?;
        let reason = lock(&self.model.tables).own_reject(payment);
        Ok(reason.map(|reason| Rejection {
            reason: reason.to_owned(),
            rejected_at: Timestamp::EPOCH,
        }))
    }

    async fn holders(
        &mut self,
        payments: &[PaymentKey],
    ) -> Result<Vec<(PaymentKey, Holder)>, Error> {
        self.send().await?;
        let holder = |payment: &PaymentKey| {
            let record = self.payment(payment)?.record;
            let holder = Holder {
                content_hash: record.content_hash,
                received_at: record.received_at,
                request_id: record.request_id,
            };
            Some((payment.clone(), holder))
        };
        Ok(payments.iter().filter_map(holder).collect())
    }

    /// The model has no rows without ETags, which would stand for other versions, so only exact versions match.
    async fn ledger_keys(
        &mut self,
        objects: &[VersionColumns<'_>],
    ) -> Result<Vec<LedgerKey>, Error> {
        self.send().await?;
        let found = objects.iter().map(|object| Version::of(*object));
        Ok(found
            .filter(|version| {
                let is_assumed = self
                    .model
                    .assumed
                    .is_some_and(|is_taken| is_taken(&version.key));
                is_assumed || self.has(&Unique::Object(version.clone()))
            })
            .map(|version| LedgerKey {
                key: version.key,
                etag: version.etag,
                ingested_at: clock::now(),
            })
            .collect())
    }

    async fn sweep_positions(&mut self, _: &str) -> Result<HashMap<String, String>, Error> {
        self.send().await?;
        Ok(lock(&self.model.tables).positions.clone())
    }

    async fn insert_sweep_position(
        &mut self,
        _: &str,
        pass: &str,
        position: &str,
    ) -> Result<u64, DriverError> {
        self.send().await?;
        let positions = &mut lock(&self.model.tables).positions;
        positions.insert(pass.to_owned(), position.to_owned());
        Ok(1)
    }

    async fn deferred(&mut self, _: &str, after: u64, limit: u32) -> Result<Vec<Deferred>, Error> {
        self.send().await?;
        let tables = lock(&self.model.tables);
        let behind = (1..).zip(&tables.deferred).filter(|(id, _)| *id > after);
        let deferred = behind.map(|(id, version)| Deferred {
            id,
            version: version.clone(),
        });
        Ok(deferred
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .collect())
    }

    async fn insert_deferred(
        &mut self,
        _: &str,
        object: VersionColumns<'_>,
    ) -> Result<u64, DriverError> {
        self.send().await?;
        let deferred = &mut lock(&self.model.tables).deferred;
        let is_same = |version: &ObjectVersion| {
            (version.key.as_str(), version.etag.as_str()) == (object.key(), object.etag())
        };
        if deferred.iter().any(is_same) {
            return Err(DriverError::fault(
                ErrorKind::KeyTaken,
                "server error 1062 (23000)",
            ));
        }
        let key = ObjectKey::parse(object.key());
        deferred.extend(key.map(|key| ObjectVersion {
            key,
            etag: ETag::parse(object.etag()),
            stored_at: object.stored_at(),
        }));
        Ok(1)
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
        object_key: ObjectKey::parse(&row.object.key).ok_or_else(|| unreadable("object_key"))?,
        object_line: row.line,
        conflicts: u64::try_from(conflicts).map_err(|_| unreadable("conflicts"))?,
    })
}
