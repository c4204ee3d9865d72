//! The model of MySQL: unique keys, transactions that wait for each other, and connections that break.

mod session;
mod tables;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use payment_store::backend::{Backend, DriverError, ErrorKind};
use tokio::sync::Notify;

pub use self::session::ModelSession;
use self::tables::Tables;
pub use self::tables::{Recorded, Row};
use crate::fault::Fault;
use crate::world::{World, lock};

/// Payments with this `transaction` are data that the server refuses.
pub const REFUSED: &str = "refused by the database";

#[derive(Debug, Clone)]
pub struct Model {
    world: Arc<World>,
    tables: Arc<Mutex<Tables>>,
    /// Notified when a transaction ended: whoever waits for its keys may try again.
    ended: Arc<Notify>,
    /// Objects that the ledger holds without a row each: millions.
    assumed: Option<fn(&str) -> bool>,
}

impl Model {
    pub fn new(world: &Arc<World>) -> Self {
        Self {
            world: Arc::clone(world),
            tables: Arc::default(),
            ended: Arc::default(),
            assumed: None,
        }
    }

    /// The ledger reports objects with one of these keys as ingested.
    #[must_use]
    pub fn assuming(self, is_taken: fn(&str) -> bool) -> Self {
        Self {
            assumed: Some(is_taken),
            ..self
        }
    }

    /// Returns everything that is committed.
    pub fn recorded(&self) -> Recorded {
        lock(&self.tables).recorded()
    }

    fn commit(&self, transaction: u64) {
        lock(&self.tables).commit(transaction);
        self.ended.notify_waiters();
    }

    fn roll_back(&self, transaction: u64) {
        lock(&self.tables).roll_back(transaction);
        self.ended.notify_waiters();
    }
}

impl Backend for Model {
    type Session = ModelSession;

    async fn session(&self) -> Result<ModelSession, DriverError> {
        self.world.pass(1..=5).await;
        if self.world.weather().database == Some(Fault::DatabaseDown) {
            // Refused at once, or no answer.
            let wait = *self.world.pick(&[0, 0, 3_000, 10_000]);
            self.world.pass(wait..=wait).await;
            return Err(away("no connection to the database"));
        }
        if self.world.fault(Fault::TooManyConnections) {
            return Err(away("server error 1040: too many connections"));
        }
        Ok(ModelSession::new(self.clone()))
    }

    fn pause(&self, longest: Duration) -> Duration {
        let longest = u64::try_from(longest.as_millis()).unwrap_or(u64::MAX);
        self.world.ms(0..=longest)
    }
}

fn away(text: &str) -> DriverError {
    DriverError::fault(ErrorKind::Transient, text)
}
