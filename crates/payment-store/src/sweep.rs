//! How far the sweep of a journal got, and what it passed over. Append-only, as everything here.
//!
//! A journal is a bucket and a prefix.

use std::collections::HashMap;

use payment_core::ObjectVersion;

use crate::Store;
use crate::backend::{Backend, Session};
use crate::driver::ErrorKind;
use crate::error::Error;
use crate::version::VersionColumns;

/// An object that a sweep could not ingest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    pub id: u64,
    pub version: ObjectVersion,
}

impl<B: Backend> Store<B> {
    /// Where each pass of the sweep got to last, by its name.
    pub async fn sweep_positions(&self, journal: &str) -> Result<HashMap<String, String>, Error> {
        self.in_session(async |session| session.sweep_positions(journal).await)
            .await
    }

    /// Notes how far a pass of the sweep came.
    pub async fn record_sweep(
        &self,
        journal: &str,
        pass: &str,
        position: &str,
    ) -> Result<(), Error> {
        self.in_session(async |session| {
            let inserted = session.insert_sweep_position(journal, pass, position);
            Ok(inserted.await.map(drop)?)
        })
        .await
    }

    /// Notes an object to be tried again. To call it again adds nothing.
    pub async fn defer(&self, journal: &str, version: &ObjectVersion) -> Result<(), Error> {
        let recorded = version.recorded();
        let object = VersionColumns::new(&recorded)?;
        self.in_session(
            async |session| match session.insert_deferred(journal, object).await {
                Err(error) if error.kind() != ErrorKind::KeyTaken => Err(error.into()),
                _ => Ok(()),
            },
        )
        .await
    }

    /// Objects deferred in the last 14 days with numbers over `after`, whether or not they were ingested since.
    pub async fn deferred(
        &self,
        journal: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Deferred>, Error> {
        self.in_session(async |session| session.deferred(journal, after, limit).await)
            .await
    }
}
