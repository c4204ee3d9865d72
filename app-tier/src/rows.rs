//! The rows, for status queries: with connections, time and places of their own, so that however many ask, payments
//! and the look-ups beside them go on (promise P5).

use std::time::Duration;

use payment_store::{Backend, Error, MySqlBackend, Store};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::circuit::{Circuit, Unanswered};

/// Longest time of one look-up, with making the connection.
const LOOK_UP: Duration = Duration::from_secs(1);

/// Look-ups at work at one time. A healthy database answers hundreds a second on each connection.
const LOOK_UPS_MAX: usize = 32;

/// Queries that may wait at one time for a row to come.
const WAITING_MAX: usize = 32;

/// Pauses between the look-ups of a query that waits: most rows come within a second of the answer.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(300),
    Duration::from_millis(400),
    Duration::from_millis(450),
];

/// The table `transactions`, if there is a database to ask.
#[derive(Debug)]
pub struct Rows<B = MySqlBackend> {
    store: Option<Store<B>>,
    circuit: Circuit,
    look_ups: Semaphore,
    waiting: Semaphore,
}

/// Why it is not known whether there is a row.
#[derive(Debug, thiserror::Error)]
pub enum NotKnown {
    #[error("too many status queries are at work")]
    Busy,
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

/// A place among those who wait, taken when it is first needed.
#[derive(Debug)]
pub struct Patience<'a, B> {
    rows: &'a Rows<B>,
    place: Option<SemaphorePermit<'a>>,
    pauses: std::slice::Iter<'static, Duration>,
}

impl<B: Backend> Rows<B> {
    pub fn new(store: Option<Store<B>>) -> Self {
        Self {
            store,
            circuit: Circuit::new(LOOK_UP, "status queries are answered from memory"),
            look_ups: Semaphore::new(LOOK_UPS_MAX),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// Asks the store within the limits of status queries.
    pub async fn ask<T: Default>(
        &self,
        question: impl AsyncFnOnce(&Store<B>) -> Result<T, Error>,
    ) -> Result<T, NotKnown> {
        let Some(store) = &self.store else {
            return Ok(T::default());
        };
        let _place = self.look_ups.try_acquire().map_err(|_| NotKnown::Busy)?;
        Ok(self.circuit.ask(question(store)).await?)
    }

    /// Begins the pauses of one query that waits for a row.
    pub fn patience(&self) -> Patience<'_, B> {
        Patience {
            rows: self,
            place: None,
            pauses: PAUSES.iter(),
        }
    }
}

impl<B> Patience<'_, B> {
    /// Returns when it is time to look again, or `false` where waiting is of no use any more: no row will come, it
    /// took too long, or too many wait.
    pub async fn wait(&mut self) -> bool {
        if self.place.is_none() {
            self.place = self.rows.waiting.try_acquire().ok();
        }
        let (Some(_), Some(_), Some(pause)) = (&self.rows.store, &self.place, self.pauses.next())
        else {
            return false;
        };
        tokio::time::sleep(*pause).await;
        true
    }
}
