//! A stored payment as its columns stand, held against a record and against its own hash.

use std::collections::{HashMap, HashSet};
use std::fmt;

use payment_core::json::{self, Json};
use payment_core::{
    Amount, ClientName, ContentHash, Currency, LogRecord, Payment, PaymentKey, RequestId, Timestamp,
};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;

use super::CLOCK_SKEW;

/// The tables that hold payments, in columns that are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Transactions,
    Conflicts,
}

/// Nothing of it is taken for right: a person may have changed it, and a session may switch off what a column demands.
/// What can't be read is `None`, or empty, and so differs from every payment.
#[derive(Clone, PartialEq, Eq)]
pub struct Row<'r> {
    pub id: u64,
    pub payment_id: &'r str,
    pub client: &'r str,
    pub content_hash: Option<ContentHash>,
    pub object_key: &'r str,
    pub object_line: u32,
    transaction: Option<&'r str>,
    pub amount: Option<&'r str>,
    pub currency: Option<&'r str>,
    pub status: &'r str,
    payer_name: Option<&'r str>,
    extra: &'r str,
    pub received_at: Option<Timestamp>,
    pub recorded_at: Option<Timestamp>,
    is_from_the_future: bool,
    pub request_id: Option<&'r str>,
}

/// Rows as the server sent them. Their columns are read where they are, without a copy: an audit reads every row of a
/// database.
#[derive(Default)]
pub struct Rows(Vec<MySqlRow>);

/// Rows by their payments.
#[derive(Debug)]
pub struct RowsByPayment<'r> {
    rows: Vec<Row<'r>>,
    /// Where the row is, by the columns that name the payment.
    places: HashMap<(&'r str, &'r str), usize>,
}

/// When the object was stored that a row was made of, and when it was ingested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub at: Timestamp,
    /// The object was stored again since the row may have been made, as a copy or a correction does: then `at` tells
    /// nothing of the row.
    pub is_rewritten: bool,
    /// The ledger has other versions of the object: the row may be of one of them.
    pub is_replaced: bool,
    /// It was stored again as it was, by the hash in the ledger: what it says of times holds as before.
    pub is_restored: bool,
    /// When the ledger took it, which no row of it can follow, but for one whose line was rejected first.
    pub ingested_at: Option<Timestamp>,
}

impl Stored {
    /// Whether a row may have been made at `recorded_at` of a line that was received no earlier than `received_at`.
    pub(super) fn admits(self, recorded_at: Timestamp, received_at: Option<Timestamp>) -> bool {
        let earliest = if self.is_rewritten {
            received_at.unwrap_or(Timestamp::EPOCH)
        } else {
            self.at
        };
        let is_late =
            |latest: Timestamp| recorded_at.to_utc() > latest.to_utc().saturating_add(CLOCK_SKEW);
        recorded_at.to_utc() >= earliest.to_utc().saturating_sub(CLOCK_SKEW)
            && !self.ingested_at.is_some_and(is_late)
    }
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
            "SELECT id, payment_id, transaction, CAST(amount AS CHAR), currency, status, payer_name, extra, \
             received_at, recorded_at, recorded_at > UTC_TIMESTAMP(6), request_id, content_hash, object_key, \
             object_line, client FROM {}",
            self.name()
        )
    }
}

impl Rows {
    pub(super) fn new(rows: Vec<MySqlRow>) -> Self {
        Self(rows)
    }

    /// Those of these payments: other clients have rows of the same ids.
    pub(super) fn of_payments(mut rows: Vec<MySqlRow>, payments: &[&PaymentKey]) -> Self {
        let asked: HashSet<_> = payments.iter().map(|payment| columns_of(payment)).collect();
        rows.retain(|row| match (row.try_get(1), row.try_get(15)) {
            (Ok(id), Ok(client)) => asked.contains(&(id, client)),
            _ => false,
        });
        Self(rows)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Row<'_>> + ExactSizeIterator {
        self.0.iter().map(Row::read)
    }

    pub fn by_payment(&self) -> RowsByPayment<'_> {
        let rows: Vec<_> = self.iter().collect();
        let places = rows.iter().enumerate();
        let places = places.map(|(place, row)| ((row.payment_id, row.client), place));
        RowsByPayment {
            places: places.collect(),
            rows,
        }
    }

    /// By the lines of the object that all of them name.
    pub fn by_line(&self) -> HashMap<u32, Row<'_>> {
        self.iter().map(|row| (row.object_line, row)).collect()
    }
}

impl<'r> RowsByPayment<'r> {
    pub fn get(&self, payment: &PaymentKey) -> Option<&Row<'r>> {
        // The places outlive the payment.
        let places: &HashMap<(&str, &str), usize> = &self.places;
        self.rows.get(*places.get(&columns_of(payment))?)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Row<'r>> {
        self.rows.iter()
    }
}

/// The columns `payment_id` and `client`.
fn columns_of(payment: &PaymentKey) -> (&str, &str) {
    (payment.id.as_str(), payment.client.as_str())
}

impl<'r> Row<'r> {
    fn read(row: &'r MySqlRow) -> Self {
        let text = |column| row.try_get::<Option<&str>, _>(column).ok().flatten();
        let time = |column| {
            let time = row.try_get::<Option<PrimitiveDateTime>, _>(column);
            time.ok().flatten().map(Timestamp::from_datetime)
        };
        let hash = row.try_get::<Option<&[u8]>, _>(12).ok().flatten();
        Self {
            id: row.try_get(0).unwrap_or_default(),
            payment_id: text(1).unwrap_or_default(),
            transaction: text(2),
            amount: text(3),
            currency: text(4),
            status: text(5).unwrap_or_default(),
            payer_name: text(6),
            extra: text(7).unwrap_or_default(),
            received_at: time(8),
            recorded_at: time(9),
            is_from_the_future: row.try_get::<i64, _>(10).unwrap_or(1) != 0,
            request_id: text(11),
            content_hash: hash.and_then(ContentHash::from_bytes),
            object_key: text(13).unwrap_or_default(),
            object_line: row.try_get(14).unwrap_or_default(),
            client: text(15).unwrap_or_default(),
        }
    }

    /// The payment, unless a column does not have the form of its value.
    pub fn key(&self) -> Option<PaymentKey> {
        PaymentKey::from_stored(self.payment_id, self.client)
    }

    /// Whether it is the payment's, whatever else it says.
    pub fn is_of(&self, payment: &PaymentKey) -> bool {
        (self.payment_id, self.client) == columns_of(payment)
    }

    /// The columns that are not what this line, in an object stored then, makes them.
    pub fn differing_from_line(&self, record: &LogRecord, stored: Stored) -> Vec<&'static str> {
        let mut columns = self.differing_columns(&record.payment);
        if stored.is_replaced && self.matches_own_hash() {
            // The hash below says whether it is the same payment; in which order members stood, another version knows.
            columns.retain(|column| *column != "extra");
        }
        let request_id = record.request_id.as_ref().map(RequestId::as_str);
        let received_at = self.received_at.filter(|&at| {
            let is_copied = record.request_id.is_none() && stored.is_rewritten;
            at == record.received_at || (is_copied && at < record.received_at)
        });
        let earliest = received_at.or(Some(record.received_at));
        let recorded_at = self
            .recorded_at
            .filter(|at| !self.is_from_the_future && stored.admits(*at, earliest));
        let alike = [
            (
                "content_hash",
                self.content_hash == Some(record.content_hash),
            ),
            ("request_id", self.request_id == request_id),
            ("received_at", received_at.is_some()),
            ("recorded_at", recorded_at.is_some()),
        ];
        columns.extend(
            alike
                .iter()
                .filter(|(_, alike)| !alike)
                .map(|(name, _)| *name),
        );
        columns
    }

    /// The columns that say something else than the payment does.
    pub fn differing_columns(&self, payment: &Payment) -> Vec<&'static str> {
        let currency = payment.currency();
        let amount = match (self.amount, currency) {
            (None, _) => payment.amount().is_none(),
            (Some(text), Some(currency)) => {
                Amount::parse(text, currency).is_ok_and(|amount| payment.amount() == Some(amount))
            }
            (Some(_), None) => false,
        };
        let alike = [
            ("payment_id", self.payment_id == payment.id().as_str()),
            ("client", self.client == payment.client().as_str()),
            ("transaction", self.transaction == payment.transaction()),
            ("amount", amount),
            ("currency", self.currency == currency.map(Currency::code)),
            ("status", self.status == payment.status().as_str()),
            ("payer_name", self.payer_name == payment.payer_name()),
            ("extra", self.extra == payment.extra_json()),
        ];
        alike
            .into_iter()
            .filter_map(|(column, is_alike)| (!is_alike).then_some(column))
            .collect()
    }

    /// Whether its content and the time of receipt are those of a line with this hash.
    pub fn is_of_line(&self, content_hash: ContentHash, received_at: Timestamp) -> bool {
        self.content_hash == Some(content_hash)
            && self.received_at == Some(received_at)
            && self.matches_own_hash()
    }

    /// Whether the columns are what the row's own hash was made of.
    pub fn matches_own_hash(&self) -> bool {
        let Some(payment) = self.payment() else {
            return false;
        };
        // A member that moved from its column into `extra` would leave the hash as it is.
        Some(payment.content_hash()) == self.content_hash
            && self.differing_columns(&payment).is_empty()
    }

    fn payment(&self) -> Option<Payment> {
        let columns = [
            ("id", Some(self.payment_id)),
            ("transaction", self.transaction),
            ("amount", self.amount),
            ("currency", self.currency),
            ("status", Some(self.status)),
            ("payer_name", self.payer_name),
        ];
        let known = columns
            .into_iter()
            .filter_map(|(name, text)| Some((name.into(), Json::String(text?.into()))));
        let extra = json::read_object(self.extra, json::DEPTH_MAX).ok()?;
        let client = ClientName::from_stored(self.client).ok()?;
        Payment::from_stored(client, known.collect(), extra).ok()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Without what the client sent: a name may be in it.
impl fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("payment_id", &self.payment_id)
            .field("client", &self.client)
            .field("object_key", &self.object_key)
            .field("object_line", &self.object_line)
            .finish_non_exhaustive()
    }
}
