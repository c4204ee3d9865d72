//! A statement's path to the server, and what can happen to it and its connection.

use payment_store::backend::{DriverError, ErrorKind};

use super::super::away;
use super::{LOCK_WAIT_MAX, ModelSession};
use crate::fault::Fault;

impl ModelSession {
    /// Sends a statement to the server, with the faults that can happen on the way.
    pub(super) async fn send(&mut self) -> Result<(), DriverError> {
        if self.broken {
            return Err(away("the connection is gone"));
        }
        let world = self.model.world.clone();
        world.pass(1..=4).await;
        let is_down = world.weather().database == Some(Fault::DatabaseDown);
        if is_down || world.fault(Fault::ConnectionCut) {
            self.cut();
            return Err(away("server error 2013: lost connection"));
        }
        if world.fault(Fault::StatementSlow) {
            world.pass(500..=20_000).await;
        }
        Ok(())
    }

    /// Like [`Self::send`], for a statement that writes.
    pub(super) async fn send_write(&mut self) -> Result<u64, DriverError> {
        self.send().await?;
        let world = self.model.world.clone();
        if world.weather().database == Some(Fault::DatabaseReadOnly) {
            return Err(away("server error 1290: read only"));
        }
        if world.fault(Fault::Deadlock) {
            return Err(self.deadlock());
        }
        if world.fault(Fault::LockWaitTimeout) {
            tokio::time::sleep(LOCK_WAIT_MAX).await;
            return Err(away("server error 1205: lock wait timeout"));
        }
        let lasting = || DriverError::fault(ErrorKind::Lasting, "no transaction is open");
        self.transaction.ok_or_else(lasting)
    }

    /// Rolls back the whole transaction, as the server does after a deadlock.
    pub(super) fn deadlock(&mut self) -> DriverError {
        if let Some(transaction) = self.transaction.take() {
            self.model.roll_back(transaction);
        }
        away("server error 1213: deadlock")
    }

    /// Breaks the connection; the server rolls back, at once or when it notices.
    pub(super) fn cut(&mut self) {
        self.broken = true;
        let Some(transaction) = self.transaction.take() else {
            return;
        };
        let world = &self.model.world;
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if world.fault(Fault::RollbackLate) => {
                let (model, busy) = (self.model.clone(), world.busy());
                runtime.spawn(async move {
                    model.world.pass(100..=20_000).await;
                    model.roll_back(transaction);
                    drop(busy);
                });
            }
            _ => self.model.roll_back(transaction),
        }
    }
}

/// Cut off, or finished. A COMMIT in flight may still arrive.
impl Drop for ModelSession {
    fn drop(&mut self) {
        let world = self.model.world.clone();
        if self.committing
            && world.chance(0.5)
            && let Some(transaction) = self.transaction.take()
        {
            world.hit(Fault::CommitOrphaned);
            self.model.commit(transaction);
        }
        self.cut();
    }
}
