//! What became of a payment or an object. A user with SELECT alone can ask.

use std::collections::HashMap;
use std::time::Duration;

use payment_core::{
    Amount, ContentHash, Currency, ObjectKey, ObjectVersion, PaymentKey, RequestId, Status,
    Timestamp,
};

use crate::Store;
use crate::backend::{Backend, Session};
use crate::error::Error;
use crate::lease::within;
use crate::version::{LedgerKey, VersionColumns};

/// A look-up by key takes milliseconds, as does a row to be inserted. The tier that asks has 6 s in all.
const SESSION_TIME_MAX: Duration = Duration::from_secs(4);

/// Keys of one statement.
const STATEMENT_KEYS_MAX: usize = 500;

/// A recorded payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub transaction: Option<String>,
    pub amount: Option<Amount>,
    pub currency: Option<Currency>,
    pub status: Status,
    pub payer_name: Option<String>,
    /// Members without a column of their own, as compact JSON; numbers are the text that was sent.
    pub extra: String,
    pub received_at: Timestamp,
    /// When the row was inserted.
    pub recorded_at: Timestamp,
    pub request_id: Option<RequestId>,
    pub content_hash: ContentHash,
    pub object_key: ObjectKey,
    pub object_line: u32,
    /// Lines of the log with the client's same id and other content.
    pub conflicts: u64,
}

/// Why an accepted payment is no row: its line was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// A stable word.
    pub reason: String,
    pub rejected_at: Timestamp,
}

/// What the row of a payment says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub content_hash: ContentHash,
    pub received_at: Timestamp,
    /// Older systems wrote none.
    pub request_id: Option<RequestId>,
}

impl<B: Backend> Store<B> {
    /// Does a short piece of work in a session of its own, which ends with it.
    pub(crate) async fn in_session<T>(
        &self,
        work: impl AsyncFnOnce(&mut B::Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        within(SESSION_TIME_MAX, async {
            let mut session = self.backend.session().await?;
            let outcome = work(&mut session).await;
            session.end();
            outcome
        })
        .await
    }

    /// Those of the payments that are rows.
    pub async fn holders(
        &self,
        payments: &[PaymentKey],
    ) -> Result<HashMap<PaymentKey, Holder>, Error> {
        let mut holders = HashMap::new();
        for chunk in payments.chunks(STATEMENT_KEYS_MAX) {
            let found = self.in_session(async |session| session.holders(chunk).await);
            holders.extend(found.await?);
        }
        Ok(holders)
    }

    /// The recorded payment; `None` where there is none yet.
    pub async fn find(&self, payment: &PaymentKey) -> Result<Option<Found>, Error> {
        self.in_session(async |session| session.find(payment).await)
            .await
    }

    /// Why a payment that was accepted is no row, for one that [`Self::find`] does not find. Lines of foreign objects
    /// do not count: they were never accepted, and a client may yet pay under the same id.
    pub async fn rejection(&self, payment: &PaymentKey) -> Result<Option<Rejection>, Error> {
        self.in_session(async |session| session.rejection(payment).await)
            .await
    }

    /// Those of the objects that are not ingested, in the same order.
    pub async fn not_ingested(
        &self,
        mut objects: Vec<ObjectVersion>,
    ) -> Result<Vec<ObjectVersion>, Error> {
        let mut missing = Vec::new();
        while !objects.is_empty() {
            let rest = objects.split_off(objects.len().min(STATEMENT_KEYS_MAX));
            let taken = self.are_ingested(&objects).await?;
            let pairs = objects.into_iter().zip(taken);
            missing.extend(pairs.filter_map(|(object, is_taken)| (!is_taken).then_some(object)));
            objects = rest;
        }
        Ok(missing)
    }

    async fn are_ingested(&self, objects: &[ObjectVersion]) -> Result<Vec<bool>, Error> {
        let recorded: Vec<_> = objects.iter().map(ObjectVersion::recorded).collect();
        let columns: Vec<_> = recorded
            .iter()
            .map(|object| VersionColumns::new(object))
            .collect::<Result<_, _>>()?;
        let rows = self.in_session(async |session| session.ledger_keys(&columns).await);
        let rows = rows.await?;
        let mut ledger: HashMap<&str, Vec<&LedgerKey>> = HashMap::new();
        for row in &rows {
            ledger.entry(row.key.as_str()).or_default().push(row);
        }
        let is_taken = |object: &VersionColumns<'_>| {
            let rows = ledger.get(object.key());
            rows.is_some_and(|rows| rows.iter().any(|row| object.is_taken_by(row)))
        };
        Ok(columns.iter().map(is_taken).collect())
    }
}
