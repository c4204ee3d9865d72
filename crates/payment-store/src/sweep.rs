//! How far the sweep of a journal got, and what it passed over. Append-only, as everything here.
//!
//! A journal is a bucket and a prefix.

use std::collections::HashMap;
use std::time::Duration;

use payment_core::ObjectVersion;

use crate::Store;
use crate::backend::{Backend, Session};
use crate::driver::ErrorKind;
use crate::error::Error;
use crate::lease::within;
use crate::version::VersionColumns;

/// One row is read or written.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(4);

/// An object that a sweep could not ingest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deferred {
    pub id: u64,
    pub version: ObjectVersion,
}

impl<B: Backend> Store<B> {
    /// Where each pass of the sweep got to last, by its name.
    pub async fn sweep_positions(&self, journal: &str) -> Result<HashMap<String, String>, Error> {
        let work = async {
            let mut session = self.backend.session().await?;
            let positions = session.sweep_positions(journal).await;
            session.end();
            positions
        };
        within(STATEMENT_TIME_MAX, work).await
    }

    /// Notes how far a pass of the sweep came.
    pub async fn record_sweep(
        &self,
        journal: &str,
        pass: &str,
        position: &str,
    ) -> Result<(), Error> {
        let work = async {
            let mut session = self.backend.session().await?;
            let inserted = session.insert_sweep_position(journal, pass, position).await;
            session.end();
            Ok(inserted.map(drop)?)
        };
        within(STATEMENT_TIME_MAX, work).await
    }

    /// Notes an object to be tried again. To call it again adds nothing.
    pub async fn defer(&self, journal: &str, version: &ObjectVersion) -> Result<(), Error> {
        let recorded = version.recorded();
        let object = VersionColumns::new(&recorded)?;
        let work = async {
            let mut session = self.backend.session().await?;
            let inserted = session.insert_deferred(journal, object).await;
            session.end();
            match inserted {
                Err(error) if error.kind() != ErrorKind::KeyTaken => Err(error.into()),
                _ => Ok(()),
            }
        };
        within(STATEMENT_TIME_MAX, work).await
    }

    /// Objects deferred in the last 14 days with numbers over `after`, whether or not they were ingested since.
    pub async fn deferred(
        &self,
        journal: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Deferred>, Error> {
        let work = async {
            let mut session = self.backend.session().await?;
            let deferred = session.deferred(journal, after, limit).await;
            session.end();
            deferred
        };
        within(STATEMENT_TIME_MAX, work).await
    }
}
