//! What became of a payment or an object. A user with SELECT alone can ask.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{
    Amount, ContentHash, Currency, ObjectKey, PaymentId, RequestId, Status, Timestamp,
};

use crate::Store;
use crate::backend::{Backend, Session};
use crate::error::Error;
use crate::key::KeyColumn;
use crate::lease::within;

/// A look-up by key takes milliseconds. The tier that asks has 6 s in all.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(4);

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
    /// Lines of the log with the same id and other content.
    pub conflicts: u64,
}

/// Whose row a payment id is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub content_hash: ContentHash,
    pub received_at: Timestamp,
    /// Older systems wrote none.
    pub request_id: Option<RequestId>,
}

impl<B: Backend> Store<B> {
    /// Those of the ids that are rows.
    pub async fn holders(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Holder>, Error> {
        let mut holders = HashMap::new();
        for chunk in ids.chunks(STATEMENT_KEYS_MAX) {
            let work = async {
                let mut session = self.backend.session().await?;
                let found = session.holders(chunk).await;
                session.end();
                found
            };
            holders.extend(within(LOOKUP_TIME_MAX, work).await?);
        }
        Ok(holders)
    }

    /// The recorded payment; `None` where there is none yet.
    pub async fn find(&self, id: &PaymentId) -> Result<Option<Found>, Error> {
        let work = async {
            let mut session = self.backend.session().await?;
            let found = session.find(id).await;
            session.end();
            found
        };
        within(LOOKUP_TIME_MAX, work).await
    }

    pub async fn is_ingested(&self, key: &ObjectKey) -> Result<bool, Error> {
        KeyColumn::new(key)?;
        Ok(!self
            .ingested_among(std::slice::from_ref(key))
            .await?
            .is_empty())
    }

    /// Those of the objects that were ingested. A key that can't be recorded is none of them.
    pub async fn ingested_among(&self, keys: &[ObjectKey]) -> Result<HashSet<ObjectKey>, Error> {
        let mut ingested = HashSet::new();
        for chunk in keys.chunks(STATEMENT_KEYS_MAX) {
            let columns: Vec<_> = chunk
                .iter()
                .filter_map(|key| KeyColumn::new(key).ok())
                .collect();
            if columns.is_empty() {
                continue;
            }
            let work = async {
                let mut session = self.backend.session().await?;
                let found = session.ingested_among(&columns).await;
                session.end();
                found
            };
            let found = within(LOOKUP_TIME_MAX, work).await?;
            let is_found = |key: &&ObjectKey| found.contains(key.as_str());
            ingested.extend(chunk.iter().filter(is_found).cloned());
        }
        Ok(ingested)
    }
}
