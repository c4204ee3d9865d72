//! Objects ingested by hand: by the function's own code, several at a time, and what became of them.

use std::sync::Arc;

use lambda_ingest::ingest::{IngestError, Ingested, ingest};
use lambda_ingest::objects::{Objects as _, S3Objects};
use lambda_ingest::parts::ObjectParts;
use payment_core::event::ObjectRef;
use payment_store::{Part, Parts as _, Store};
use program::chain;

use crate::output::warn;

/// What became of all objects so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub stored: u64,
    pub already: u64,
    pub gone: u64,
    pub failed: u64,
    pub rows: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    pub rejects: u64,
    /// Rejected lines of this system, each an accepted payment that is not recorded.
    pub own_rejects: u64,
}

#[derive(Debug, Clone)]
pub struct Ingest {
    objects: Arc<S3Objects>,
    store: Store,
}

impl Ingest {
    pub fn new(objects: Arc<S3Objects>, store: Store) -> Self {
        Self { objects, store }
    }

    pub async fn one(&self, object: &ObjectRef) -> Result<Ingested, IngestError> {
        ingest(&*self.objects, &self.store, object).await
    }

    /// An object that a person names. If the ledger has it, its lines that are in no table become rows, conflicts or
    /// rejects: someone took them away, or entered the object without them. The ledger stays as it is.
    pub async fn by_name(&self, object: &ObjectRef) -> Result<Ingested, IngestError> {
        let ingested = self.one(object).await?;
        if matches!(ingested, Ingested::Already) && !object.key.is_folder() {
            self.missing_lines(object).await?;
        }
        Ok(ingested)
    }

    async fn missing_lines(&self, object: &ObjectRef) -> Result<(), IngestError> {
        let mut parts = ObjectParts::open(&*self.objects, object).await?;
        let version = parts.version().clone();
        while let Part::Lines(lines) = parts.next().await? {
            self.store.ingest_lines(&version, &lines).await?;
        }
        Ok(())
    }

    /// Whether the version that an event names was ingested, once the object as it is now is. An event that names none
    /// is taken to mean that one, and of a folder without content nothing is recorded.
    pub async fn is_ingested(&self, object: &ObjectRef) -> Result<bool, IngestError> {
        let Some(etag) = &object.etag else {
            return Ok(true);
        };
        if object.key.is_folder() {
            return Ok(self.objects.open(object).await?.version.etag == *etag);
        }
        Ok(self.store.has_ingested(&object.key, etag).await?)
    }
}

/// Says what is not as it should be, at once; the rest is summed up.
pub fn tell(object: &ObjectRef, result: &Result<Ingested, IngestError>) {
    let key = object.key.as_str();
    match result {
        Ok(Ingested::Stored { .. } | Ingested::Already) => {}
        Ok(Ingested::Gone) => warn(&format!("{key} is gone")),
        Err(error) => warn(&format!("{key}: {}", chain(error))),
    }
}

impl Tally {
    pub fn add(&mut self, result: &Result<Ingested, IngestError>) {
        match result {
            Ok(Ingested::Stored { outcome, .. }) => {
                self.stored += 1;
                self.rows += u64::from(outcome.rows);
                self.duplicates += u64::from(outcome.duplicates);
                self.conflicts += u64::from(outcome.conflicts);
                self.rejects += u64::from(outcome.rejects);
                self.own_rejects += u64::from(outcome.own_rejects);
            }
            Ok(Ingested::Already) => self.already += 1,
            Ok(Ingested::Gone) => self.gone += 1,
            Err(_) => self.failed += 1,
        }
    }

    pub fn named(&self) -> Vec<(&'static str, u64)> {
        vec![
            ("objects ingested", self.stored),
            ("  rows", self.rows),
            ("  duplicates", self.duplicates),
            ("  conflicts", self.conflicts),
            ("  rejects", self.rejects),
            ("    of them of this system", self.own_rejects),
            ("objects ingested before", self.already),
            ("objects gone", self.gone),
            ("objects that failed", self.failed),
        ]
    }
}
