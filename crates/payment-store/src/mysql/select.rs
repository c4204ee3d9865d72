//! Look-ups of payments, and rows as values.

use std::collections::HashSet;

use payment_core::{
    Amount, ContentHash, Currency, ObjectKey, PaymentKey, RequestId, Status, Timestamp,
};
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{MySqlConnection, QueryBuilder, Row};

use crate::backend::Origin;
use crate::error::Error;
use crate::list;
use crate::{Found, Holder, Rejection};

const FIND: &str = "SELECT transaction, CAST(amount AS CHAR) AS amount, currency, status, payer_name, received_at, \
    extra, recorded_at, request_id, content_hash, object_key, object_line, \
    (SELECT COUNT(*) FROM conflicts WHERE conflicts.payment_id = transactions.payment_id \
    AND conflicts.client = transactions.client) AS conflicts \
    FROM transactions WHERE payment_id = ? AND client = ?";

const REJECTION: &str = "SELECT reason, recorded_at FROM rejects \
    WHERE is_own = TRUE AND payment_id = ? AND client = ? ORDER BY id DESC LIMIT 1";

pub(super) async fn find(
    connection: &mut MySqlConnection,
    payment: &PaymentKey,
) -> Result<Option<Found>, Error> {
    let row = sqlx::query(FIND)
        .bind(payment.id.as_str())
        .bind(payment.client.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(found).transpose()
}

pub(super) async fn rejection(
    connection: &mut MySqlConnection,
    payment: &PaymentKey,
) -> Result<Option<Rejection>, Error> {
    let row = sqlx::query(REJECTION)
        .bind(payment.id.as_str())
        .bind(payment.client.as_str())
        .fetch_optional(connection)
        .await?;
    let rejection = |row: &MySqlRow| {
        Ok(Rejection {
            reason: row.try_get("reason")?,
            rejected_at: timestamp(row, "recorded_at")?,
        })
    };
    row.as_ref().map(rejection).transpose()
}

pub(super) async fn holders(
    connection: &mut MySqlConnection,
    payments: &[PaymentKey],
) -> Result<Vec<(PaymentKey, Holder)>, Error> {
    let mut sql = QueryBuilder::new(
        "SELECT payment_id, client, content_hash, received_at, request_id FROM transactions WHERE payment_id IN ",
    );
    list::push(&mut sql, payments.iter().map(|payment| payment.id.as_str()));
    let rows = sql.build().fetch_all(connection).await?;
    let asked: HashSet<_> = payments.iter().collect();
    let holder = |(payment, row): (PaymentKey, &MySqlRow)| {
        let holder = Holder {
            content_hash: content_hash(row)?,
            received_at: timestamp(row, "received_at")?,
            request_id: optional(row, "request_id", RequestId::from_stored)?,
        };
        Ok((payment, holder))
    };
    of_payments(&rows, &asked).map(holder).collect()
}

/// No lock is needed: a row that is there stays as it is.
pub(super) async fn origins(
    connection: &mut MySqlConnection,
    payments: &[&PaymentKey],
) -> Result<Vec<Origin>, Error> {
    let mut sql = QueryBuilder::new(
        "SELECT payment_id, client, content_hash, object_key, object_line FROM transactions WHERE payment_id IN ",
    );
    list::push(&mut sql, payments.iter().map(|payment| payment.id.as_str()));
    let rows = sql.build().fetch_all(connection).await?;
    let asked: HashSet<_> = payments.iter().copied().collect();
    let origin = |(payment, row): (PaymentKey, &MySqlRow)| {
        Ok(Origin {
            payment,
            content_hash: content_hash(row)?,
            object_key: row.try_get("object_key")?,
            object_line: row.try_get("object_line")?,
        })
    };
    of_payments(&rows, &asked).map(origin).collect()
}

/// The rows of the payments that were asked for: other clients have rows of the same ids.
fn of_payments<'r>(
    rows: &'r [MySqlRow],
    asked: &HashSet<&PaymentKey>,
) -> impl Iterator<Item = (PaymentKey, &'r MySqlRow)> {
    let payment = |row: &MySqlRow| {
        let (id, client) = (row.try_get("payment_id").ok()?, row.try_get("client").ok()?);
        PaymentKey::from_stored(id, client)
    };
    rows.iter()
        .filter_map(move |row| Some((payment(row)?, row)))
        .filter(|(payment, _)| asked.contains(payment))
}

fn found(row: &MySqlRow) -> Result<Found, Error> {
    let currency = optional(row, "currency", Currency::from_stored)?;
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
        request_id: optional(row, "request_id", RequestId::from_stored)?,
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
