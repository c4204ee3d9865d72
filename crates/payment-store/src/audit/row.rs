//! A stored payment as its columns stand, held against a record and against its own hash.

use std::fmt;

use payment_core::json::{self, Json};
use payment_core::{Amount, ContentHash, Currency, Payment, Timestamp};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::error::Error;

/// The tables that hold payments, in columns that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Transactions,
    Conflicts,
}

/// Nothing of it is taken for right: a person may have changed it.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub payment_id: String,
    pub received_at: Timestamp,
    pub recorded_at: Timestamp,
    pub request_id: Option<String>,
    pub content_hash: ContentHash,
    pub object_key: String,
    pub object_line: u32,
    transaction: Option<String>,
    amount: Option<String>,
    currency: Option<String>,
    status: String,
    payer_name: Option<String>,
    extra: String,
}

impl Table {
    pub fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Conflicts => "conflicts",
        }
    }

    pub(super) fn select(self) -> String {
        format!(
            "SELECT payment_id, transaction, CAST(amount AS CHAR), currency, status, payer_name, extra, received_at, \
             recorded_at, request_id, content_hash, object_key, object_line FROM {}",
            self.name()
        )
    }
}

impl Row {
    pub(super) fn read(row: &MySqlRow) -> Result<Self, Error> {
        Ok(Self {
            payment_id: row.try_get(0)?,
            transaction: row.try_get(1)?,
            amount: row.try_get(2)?,
            currency: row.try_get(3)?,
            status: row.try_get(4)?,
            payer_name: row.try_get(5)?,
            extra: row.try_get(6)?,
            received_at: Timestamp::from_datetime(row.try_get(7)?),
            recorded_at: Timestamp::from_datetime(row.try_get(8)?),
            request_id: row.try_get(9)?,
            content_hash: content_hash(row, 10)?,
            object_key: row.try_get(11)?,
            object_line: row.try_get(12)?,
        })
    }

    /// The columns that say something else than the payment does.
    pub fn differing_columns(&self, payment: &Payment) -> Vec<&'static str> {
        let currency = payment.currency();
        let amount = match (&self.amount, currency) {
            (None, _) => payment.amount().is_none(),
            (Some(text), Some(currency)) => {
                Amount::parse(text, currency).is_ok_and(|amount| payment.amount() == Some(amount))
            }
            (Some(_), None) => false,
        };
        let alike = [
            ("payment_id", self.payment_id == payment.id().as_str()),
            (
                "transaction",
                self.transaction.as_deref() == payment.transaction(),
            ),
            ("amount", amount),
            (
                "currency",
                self.currency.as_deref() == currency.map(Currency::code),
            ),
            ("status", self.status == payment.status().as_str()),
            (
                "payer_name",
                self.payer_name.as_deref() == payment.payer_name(),
            ),
            ("extra", self.extra == payment.extra_json()),
        ];
        alike
            .into_iter()
            .filter_map(|(column, is_alike)| (!is_alike).then_some(column))
            .collect()
    }

    /// Whether the columns are what the row's own hash was made of.
    pub fn matches_own_hash(&self) -> bool {
        let Some(payment) = self.payment() else {
            return false;
        };
        // A member that moved from its column into `extra` would leave the hash as it is.
        payment.content_hash() == self.content_hash && self.differing_columns(&payment).is_empty()
    }

    fn payment(&self) -> Option<Payment> {
        let columns = [
            ("id", Some(&self.payment_id)),
            ("transaction", self.transaction.as_ref()),
            ("amount", self.amount.as_ref()),
            ("currency", self.currency.as_ref()),
            ("status", Some(&self.status)),
            ("payer_name", self.payer_name.as_ref()),
        ];
        let known = columns
            .into_iter()
            .filter_map(|(name, text)| Some((name.into(), Json::String(text?.as_str().into()))));
        let extra = json::read_object(&self.extra, json::DEPTH_MAX).ok()?;
        Payment::from_stored(known.collect(), extra).ok()
    }
}

/// Without what the client sent: a name may be in it.
impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("payment_id", &self.payment_id)
            .field("object_key", &self.object_key)
            .field("object_line", &self.object_line)
            .finish_non_exhaustive()
    }
}

pub(super) fn content_hash(row: &MySqlRow, column: usize) -> Result<ContentHash, Error> {
    ContentHash::from_bytes(row.try_get(column)?).ok_or(Error::Unreadable {
        column: "content_hash",
    })
}
