//! What became of a payment or an object. A user with SELECT alone can ask.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{
    Amount, ContentHash, Currency, ObjectKey, PaymentId, RequestId, Status, Timestamp,
};
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{MySqlConnection, QueryBuilder, Row};

use crate::Store;
use crate::error::Error;
use crate::key::KeyColumn;
use crate::lease::{Lease, within};
use crate::list;

/// A look-up by key takes milliseconds. The tier that asks has 6 s in all.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(4);

/// Keys of one statement.
const STATEMENT_KEYS_MAX: usize = 500;

const FIND: &str = "SELECT transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, received_at, \
    extra, recorded_at, request_id, content_hash, object_key, object_line, \
    (SELECT COUNT(*) FROM conflicts WHERE conflicts.payment_id = transactions.payment_id) AS conflicts \
    FROM transactions WHERE payment_id = ?";

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

impl Store {
    /// Those of the ids that are rows.
    pub async fn holders(&self, ids: &[PaymentId]) -> Result<HashMap<PaymentId, Holder>, Error> {
        let mut holders = HashMap::new();
        for chunk in ids.chunks(STATEMENT_KEYS_MAX) {
            let work = async {
                let lease = Lease::take(&self.pool).await?;
                lease
                    .run(async |connection| select_holders(connection, chunk).await)
                    .await
            };
            holders.extend(within(LOOKUP_TIME_MAX, work).await?);
        }
        Ok(holders)
    }

    /// The recorded payment; `None` where there is none yet.
    pub async fn find(&self, id: &PaymentId) -> Result<Option<Found>, Error> {
        let work = async {
            let lease = Lease::take(&self.pool).await?;
            lease
                .run(async |connection| find(connection, id).await)
                .await
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
            let work = async {
                let lease = Lease::take(&self.pool).await?;
                lease
                    .run(async |connection| ingested_among(connection, chunk).await)
                    .await
            };
            ingested.extend(within(LOOKUP_TIME_MAX, work).await?);
        }
        Ok(ingested)
    }
}

async fn find(connection: &mut MySqlConnection, id: &PaymentId) -> Result<Option<Found>, Error> {
    let row = sqlx::query(FIND)
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(found).transpose()
}

async fn select_holders(
    connection: &mut MySqlConnection,
    ids: &[PaymentId],
) -> Result<Vec<(PaymentId, Holder)>, Error> {
    let mut sql = QueryBuilder::new(
        "SELECT payment_id, content_hash, received_at, request_id FROM transactions WHERE payment_id IN ",
    );
    list::push(&mut sql, ids.iter().map(PaymentId::as_str));
    let rows = sql.build().fetch_all(connection).await?;
    let holder = |row: &MySqlRow| {
        let holder = Holder {
            content_hash: content_hash(row)?,
            received_at: timestamp(row, "received_at")?,
            request_id: optional(row, "request_id", RequestId::parse)?,
        };
        Ok((required(row, "payment_id", PaymentId::parse)?, holder))
    };
    rows.iter().map(holder).collect()
}

async fn ingested_among(
    connection: &mut MySqlConnection,
    keys: &[ObjectKey],
) -> Result<Vec<ObjectKey>, Error> {
    let keys: Vec<_> = keys
        .iter()
        .filter_map(|key| Some((KeyColumn::new(key).ok()?, key)))
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = QueryBuilder::new("SELECT object_key FROM ingested_objects WHERE object_key IN ");
    list::push(&mut sql, keys.iter().map(|(column, _)| column.as_str()));
    let found: Vec<String> = sql.build_query_scalar().fetch_all(connection).await?;
    let found: HashSet<_> = found.into_iter().collect();
    Ok(keys
        .into_iter()
        .filter(|(column, _)| found.contains(column.as_str()))
        .map(|(_, key)| key.clone())
        .collect())
}

fn found(row: &MySqlRow) -> Result<Found, Error> {
    let currency = optional(row, "currency", Currency::parse)?;
    let amount = |text: &str| Amount::parse(text, currency?).ok();
    Ok(Found {
        transaction: row.try_get("transaction")?,
        amount: optional(row, "amount", amount)?,
        currency,
        status: required(row, "status", Status::parse)?,
        payer_name: row.try_get("payer_name")?,
        extra: row.try_get("extra")?,
        received_at: timestamp(row, "received_at")?,
        recorded_at: timestamp(row, "recorded_at")?,
        request_id: optional(row, "request_id", RequestId::parse)?,
        content_hash: content_hash(row)?,
        object_key: required(row, "object_key", ObjectKey::parse)?,
        object_line: row.try_get("object_line")?,
        conflicts: u64::try_from(row.try_get::<i64, _>("conflicts")?).map_err(|_| {
            Error::Unreadable {
                column: "conflicts",
            }
        })?,
    })
}

fn optional<T>(
    row: &MySqlRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| parse(text).ok_or(Error::Unreadable { column }))
        .transpose()
}

fn required<T>(
    row: &MySqlRow,
    column: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, Error> {
    optional(row, column, parse)?.ok_or(Error::Unreadable { column })
}

fn content_hash(row: &MySqlRow) -> Result<ContentHash, Error> {
    let bytes = row.try_get("content_hash")?;
    ContentHash::from_bytes(bytes).ok_or(Error::Unreadable {
        column: "content_hash",
    })
}

fn timestamp(row: &MySqlRow, column: &'static str) -> Result<Timestamp, Error> {
    let datetime: PrimitiveDateTime = row.try_get(column)?;
    Ok(Timestamp::from_datetime(datetime))
}
