//! The SQL: each statement of [`Session`] for MySQL and MariaDB.

mod ledger;
mod lines;
mod payments;
mod select;

use std::collections::HashSet;

use payment_core::PaymentId;
use sqlx::{Executor as _, MySql, QueryBuilder};

use crate::backend::{Backend, Entry, Origin, Reject, Session};
use crate::connect::Pool;
use crate::driver::DriverError;
use crate::error::Error;
use crate::lease::Lease;
use crate::version::{LedgerKey, VersionColumns};
use crate::{Found, Holder, Outcome, Rejection};

/// MySQL or MariaDB, over a pool of [`crate::Database::pool`].
#[derive(Debug, Clone)]
pub struct MySqlBackend {
    pool: Pool,
}

#[derive(Debug)]
pub struct MySqlSession {
    lease: Lease,
    in_transaction: bool,
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
        })
    }
}

impl MySqlSession {
    async fn insert(&mut self, mut sql: QueryBuilder<MySql>) -> Result<u64, DriverError> {
        let done = sql.build().execute(self.lease.connection()?).await?;
        Ok(done.rows_affected())
    }
}

impl Session for MySqlSession {
    async fn begin(&mut self) -> Result<(), DriverError> {
        // Set before the statement: a connection of which it is not known is not given back.
        self.in_transaction = true;
        self.lease.connection()?.execute("BEGIN").await?;
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DriverError> {
        self.lease.connection()?.execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DriverError> {
        self.lease.connection()?.execute("ROLLBACK").await?;
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
    ) -> Result<u64, DriverError> {
        Ok(ledger::insert(self.lease.connection()?, object, outcome).await?)
    }

    async fn ingested(&mut self, object: VersionColumns<'_>) -> Result<Option<Outcome>, Error> {
        ledger::find(self.lease.connection()?, object).await
    }

    async fn origins(&mut self, ids: &[&PaymentId]) -> Result<Vec<Origin>, Error> {
        select::origins(self.lease.connection()?, ids).await
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

    async fn find(&mut self, id: &PaymentId) -> Result<Option<Found>, Error> {
        select::find(self.lease.connection()?, id).await
    }

    async fn rejection(&mut self, id: &PaymentId) -> Result<Option<Rejection>, Error> {
        select::rejection(self.lease.connection()?, id).await
    }

    async fn holders(&mut self, ids: &[PaymentId]) -> Result<Vec<(PaymentId, Holder)>, Error> {
        select::holders(self.lease.connection()?, ids).await
    }

    async fn ledger_keys(
        &mut self,
        objects: &[VersionColumns<'_>],
    ) -> Result<Vec<LedgerKey>, Error> {
        ledger::keys(self.lease.connection()?, objects).await
    }

    /// A transaction that is still open would go on in the pool: its connection is closed instead.
    fn end(self) {
        if !self.in_transaction {
            self.lease.give_back();
        }
    }
}
