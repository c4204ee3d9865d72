//! What the insert and the look-ups ask of a database, statement by statement.
//!
//! [`crate::Store`] is the logic: the plan, the chunks, what a taken key means, when all is tried again. It is
//! written against these two traits, and [`MySqlBackend`](crate::MySqlBackend) holds the SQL. The seam is there for
//! a simulation, whose model of the database stands in for the server and passes the same tests.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{ContentHash, PaymentKey};

pub use crate::driver::{DriverError, ErrorKind};
use crate::error::Error;
pub use crate::ingest::{Entry, Reject};
pub use crate::sweep::Deferred;
pub use crate::version::{LedgerKey, VersionColumns};
use crate::{Fingerprint, Found, Holder, Outcome, Rejection};

/// A database with the schema of [`crate::MIGRATOR`]. Cheap to clone.
pub trait Backend: Clone + Send + Sync + 'static {
    /// A connection to it.
    type Session: Session;

    /// Takes a connection.
    fn session(&self) -> impl Future<Output = Result<Self::Session, DriverError>> + Send;

    /// How long to wait before the next try: anywhere up to the longest, so that those who collided do not
    /// collide again.
    fn pause(&self, longest: Duration) -> Duration {
        rand::random_range(Duration::ZERO..=longest)
    }
}

/// A connection on loan. Dropped before its [`Session::end`], it is cut off, and the server rolls back.
///
/// An insert gives the number of rows that it stored, all or none: one that fails leaves nothing behind, and the
/// transaction stays open. Of [`ErrorKind::KeyTaken`], the key is that of a committed row, or of this transaction's own.
/// One statement after another sees what was committed before it (READ COMMITTED).
pub trait Session: Send {
    /// Begins a transaction.
    fn begin(&mut self) -> impl Future<Output = Result<(), DriverError>> + Send;

    /// Commits the transaction. After a failure it may be committed all the same.
    fn commit(&mut self) -> impl Future<Output = Result<(), DriverError>> + Send;

    /// Undoes the transaction.
    fn rollback(&mut self) -> impl Future<Output = Result<(), DriverError>> + Send;

    /// Rows of `transactions`, whose unique key is the payment id and the client.
    fn insert_payments(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// Rows of `conflicts`, whose unique key is the object's line.
    fn insert_conflicts(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// Rows of `rejects`, whose unique key is the object's line.
    fn insert_rejects(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Reject],
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// The version's row of `ingested_objects`, whose unique key is the version's.
    fn insert_ingested(
        &mut self,
        object: VersionColumns<'_>,
        outcome: &Outcome,
        fingerprint: Fingerprint,
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// What became of the version, if it was ingested.
    fn ingested(
        &mut self,
        object: VersionColumns<'_>,
    ) -> impl Future<Output = Result<Option<Outcome>, Error>> + Send;

    /// The rows of these payments, and the line of the log that each was made of.
    fn origins(
        &mut self,
        payments: &[&PaymentKey],
    ) -> impl Future<Output = Result<Vec<Origin>, Error>> + Send;

    /// Those of the object's lines that `conflicts` has.
    fn conflict_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> impl Future<Output = Result<HashSet<u32>, Error>> + Send;

    /// Those of the object's lines that `rejects` has.
    fn reject_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> impl Future<Output = Result<HashSet<u32>, Error>> + Send;

    /// What is known of a payment, if it has a row.
    fn find(
        &mut self,
        payment: &PaymentKey,
    ) -> impl Future<Output = Result<Option<Found>, Error>> + Send;

    /// Why this payment's line, of this system's own, was rejected; the latest, if there are several.
    fn rejection(
        &mut self,
        payment: &PaymentKey,
    ) -> impl Future<Output = Result<Option<Rejection>, Error>> + Send;

    /// The rows of those of the payments that have one.
    fn holders(
        &mut self,
        payments: &[PaymentKey],
    ) -> impl Future<Output = Result<Vec<(PaymentKey, Holder)>, Error>> + Send;

    /// The rows of `ingested_objects` that have one of the keys, in any version.
    fn ledger_keys(
        &mut self,
        objects: &[VersionColumns<'_>],
    ) -> impl Future<Output = Result<Vec<LedgerKey>, Error>> + Send;

    /// Where each pass of the sweep over the journal got to last.
    fn sweep_positions(
        &mut self,
        journal: &str,
    ) -> impl Future<Output = Result<HashMap<String, String>, Error>> + Send;

    /// A row of `sweep_progress`.
    fn insert_sweep_position(
        &mut self,
        journal: &str,
        pass: &str,
        position: &str,
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// Rows of `sweep_deferred` with numbers over `after`, in their order.
    fn deferred(
        &mut self,
        journal: &str,
        after: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<Deferred>, Error>> + Send;

    /// A row of `sweep_deferred`, whose unique key is the version's.
    fn insert_deferred(
        &mut self,
        journal: &str,
        object: VersionColumns<'_>,
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;

    /// The work came to an end, well or not: gives the connection back.
    fn end(self);
}

/// The line of the log that a row was made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub payment: PaymentKey,
    pub content_hash: ContentHash,
    pub object_key: String,
    pub object_line: u32,
}
