//! The SQL: each statement of [`Session`] for MySQL and MariaDB.

pub(crate) mod columns;
mod ledger;
mod lines;
mod payments;
mod select;
mod sweep;

use std::collections::{HashMap, HashSet};

use payment_core::PaymentKey;
use sqlx::{Executor as _, MySql, QueryBuilder};

use crate::backend::{Backend, Deferred, Entry, Origin, Reject, Session};
use crate::connect::Pool;
use crate::driver::DriverError;
use crate::error::Error;
use crate::lease::Lease;
use crate::version::{LedgerKey, VersionColumns};
use crate::{Fingerprint, Found, Holder, Outcome, Rejection};

/// MySQL or MariaDB, over a pool of [`crate::Database::pool`].
#[derive(Debug, Clone)]
pub struct MySqlBackend {
    pool: Pool,
}

/// A connection of the pool, on loan.
#[derive(Debug)]
pub struct MySqlSession {
    lease: Lease,
    in_transaction: bool,
    /// The server said what it will say on this connection for ever.
    is_stale: bool,
}

impl MySqlBackend {
    pub fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Backend for MySqlBackend {
    type Session = MySqlSession;

    async fn session(&self) -> Result<MySqlSession, DriverError> {
        Ok(MySqlSession {
            lease: Lease::take(&self.pool).await?,
            in_transaction: false,
            is_stale: false,
        })
    }
}

impl MySqlSession {
    async fn insert(&mut self, mut sql: QueryBuilder<MySql>) -> Result<u64, DriverError> {
        let done = sql.build().execute(self.lease.connection()?).await;
        Ok(self.written(done)?.rows_affected())
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), DriverError> {
        let done = self.lease.connection()?.execute(statement).await;
        self.written(done).map(drop)
    }

    /// What became of a statement that writes.
    fn written<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, DriverError> {
        done.map_err(|error| {
            let error = DriverError::from(error);
            self.is_stale |= error.is_of_the_connection();
            error
        })
    }
}

impl Session for MySqlSession {
    async fn begin(&mut self) -> Result<(), DriverError> {
        // Set before the statement: a connection of which it is not known is not given back.
        self.in_transaction = true;
        self.run("BEGIN").await?;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DriverError> {
        self.run("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.run("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn insert_payments(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        self.insert(payments::insert(object, rows)).await
    }

    async fn insert_conflicts(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Entry<'_>],
    ) -> Result<u64, DriverError> {
        self.insert(payments::insert_conflicts(object, rows)).await
    }

    async fn insert_rejects(
        &mut self,
        object: VersionColumns<'_>,
        rows: &[&Reject],
    ) -> Result<u64, DriverError> {
        self.insert(lines::insert_rejects(object, rows)).await
    }

    async fn insert_ingested(
        &mut self,
        object: VersionColumns<'_>,
        outcome: &Outcome,
        fingerprint: Fingerprint,
    ) -> Result<u64, DriverError> {
        let done = ledger::insert(self.lease.connection()?, object, outcome, fingerprint).await;
        self.written(done)
    }

    async fn ingested(&mut self, object: VersionColumns<'_>) -> Result<Option<Outcome>, Error> {
        ledger::find(self.lease.connection()?, object).await
    }

    async fn origins(&mut self, payments: &[&PaymentKey]) -> Result<Vec<Origin>, Error> {
        select::origins(self.lease.connection()?, payments).await
    }

    async fn conflict_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        lines::recorded(self.lease.connection()?, "conflicts", object, lines).await
    }

    async fn reject_lines(
        &mut self,
        object: VersionColumns<'_>,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        lines::recorded(self.lease.connection()?, "rejects", object, lines).await
    }

    async fn find(&mut self, payment: &PaymentKey) -> Result<Option<Found>, Error> {
        select::find(self.lease.connection()?, payment).await
    }

    async fn rejection(&mut self, payment: &PaymentKey) -> Result<Option<Rejection>, Error> {
        select::rejection(self.lease.connection()?, payment).await
    }

    async fn holders(
        &mut self,
        payments: &[PaymentKey],
    ) -> Result<Vec<(PaymentKey, Holder)>, Error> {
        select::holders(self.lease.connection()?, payments).await
    }

    async fn ledger_keys(
        &mut self,
        objects: &[VersionColumns<'_>],
    ) -> Result<Vec<LedgerKey>, Error> {
        ledger::keys(self.lease.connection()?, objects).await
    }

    async fn sweep_positions(&mut self, journal: &str) -> Result<HashMap<String, String>, Error> {
        sweep::positions(self.lease.connection()?, journal).await
    }

    async fn insert_sweep_position(
        &mut self,
        journal: &str,
        pass: &str,
        position: &str,
    ) -> Result<u64, DriverError> {
        let done = sweep::insert_position(self.lease.connection()?, journal, pass, position).await;
        self.written(done)
    }

    async fn deferred(
        &mut self,
        journal: &str,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Deferred>, Error> {
        sweep::deferred(self.lease.connection()?, journal, after, limit).await
    }

    async fn insert_deferred(
        &mut self,
        journal: &str,
        object: VersionColumns<'_>,
    ) -> Result<u64, DriverError> {
        let done = sweep::insert_deferred(self.lease.connection()?, journal, object).await;
        self.written(done)
    }

    fn end(self) {
        if !self.in_transaction && !self.is_stale {
            self.lease.give_back();
        }
    }
}
