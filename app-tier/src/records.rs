//! Which ids are rows already: what a node cannot know by itself, of other nodes and other days.
//!
//! The database is asked beside the PUT and never instead of it: without an answer a repeat gets a second 202,
//! and a conflict becomes a row of `conflicts`.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use payment_core::PaymentId;
use payment_store::{Backend, Holder, MySqlBackend, Store};
use tier_kit::telemetry::chain;
use tokio::time::Instant;

/// A look-up of one batch takes a few milliseconds.
const LOOK_UP: Duration = Duration::from_millis(250);

/// After a look-up failed, none is tried for this long.
const PAUSE: Duration = Duration::from_secs(1);

pub type Holders = HashMap<PaymentId, Holder>;

pub trait Records: Send + Sync + 'static {
    /// Those of the ids that are rows, as far as that can be said soon.
    fn holders(&self, ids: &[PaymentId]) -> impl Future<Output = Holders> + Send;
}

/// The table `transactions`, if there is a database to ask.
#[derive(Debug)]
pub struct Database<B = MySqlBackend> {
    store: Option<Store<B>>,
    paused_until: Mutex<Option<Instant>>,
}

impl<B> Database<B> {
    pub fn new(store: Option<Store<B>>) -> Self {
        Self {
            store,
            paused_until: Mutex::new(None),
        }
    }

    fn is_paused(&self) -> bool {
        let until = *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn pause(&self, why: &str) {
        tracing::warn!(
            why,
            "repeats of other nodes' payments are not recognised for now"
        );
        *self
            .paused_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
    }
}

impl<B: Backend> Records for Database<B> {
    async fn holders(&self, ids: &[PaymentId]) -> Holders {
        let Some(store) = self.store.as_ref().filter(|_| !self.is_paused()) else {
            return Holders::default();
        };
        match tokio::time::timeout(LOOK_UP, store.holders(ids)).await {
            Ok(Ok(holders)) => return holders,
            Ok(Err(error)) => self.pause(&chain(&error)),
            Err(_) => self.pause("the database is slow"),
        }
        Holders::default()
    }
}
