//! Which payments are rows already: what a node cannot know by itself, of other nodes and other days.
//!
//! The database is asked beside the PUT and never instead of it: without an answer a repeat gets a second 202,
//! and a conflict becomes a row of `conflicts`.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use payment_core::PaymentKey;
use payment_store::{Backend, Holder, MySqlBackend, Store};

use crate::circuit::Circuit;

/// A look-up of one batch takes a few milliseconds.
const LOOK_UP: Duration = Duration::from_millis(250);

/// Rows by the payment that they hold.
pub type Holders = HashMap<PaymentKey, Holder>;

/// Source of rows for payments that a request brought.
#[async_trait]
pub trait Records: Debug + Send + Sync + 'static {
    /// Those of the payments that are rows, as far as that can be said soon: payments and their repeats wait for it.
    async fn holders(&self, payments: &[PaymentKey]) -> Holders;
}

/// The table `transactions`, if there is a database to ask.
#[derive(Debug)]
pub struct Database<B = MySqlBackend> {
    store: Option<Store<B>>,
    circuit: Circuit,
}

impl<B> Database<B> {
    pub fn new(store: Option<Store<B>>) -> Self {
        let without = "repeats of other nodes' payments are not recognised";
        Self {
            store,
            circuit: Circuit::new(LOOK_UP, without),
        }
    }
}

#[async_trait]
impl<B: Backend + Debug> Records for Database<B> {
    async fn holders(&self, payments: &[PaymentKey]) -> Holders {
        match &self.store {
            Some(store) => self
                .circuit
                .ask(store.holders(payments))
                .await
                .unwrap_or_default(),
            None => Holders::default(),
        }
    }
}
