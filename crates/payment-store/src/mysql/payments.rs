//! A payment's columns, alike in `transactions` and `conflicts`.

use payment_core::{Currency, RequestId};
use sqlx::{MySql, QueryBuilder};

use crate::backend::Entry;
use crate::ingest::COLUMNS_MAX;
use crate::key::KeyColumn;

const COLUMNS: [&str; COLUMNS_MAX] = [
    "payment_id",
    "transaction",
    "amount",
    "currency",
    "status",
    "payer_name",
    "received_at",
    "extra",
    "request_id",
    "content_hash",
    "object_key",
    "object_line",
];

/// The amount goes as text: the server makes a DECIMAL of it without a float between.
pub(super) fn insert(
    table: &'static str,
    key: KeyColumn<'_>,
    entries: &[&Entry<'_>],
) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(format!("INSERT INTO {table} ({}) ", COLUMNS.join(", ")));
    sql.push_values(entries, |mut row, entry| {
        let (record, payment) = (entry.record, entry.payment());
        row.push_bind(payment.id().as_str())
            .push_bind(payment.transaction())
            .push_bind(payment.amount().map(|amount| amount.to_string()))
            .push_bind(payment.currency().map(Currency::code))
            .push_bind(payment.status().as_str())
            .push_bind(payment.payer_name())
            .push_bind(record.received_at.to_datetime())
            .push_bind(entry.extra.as_str())
            .push_bind(record.request_id.as_ref().map(RequestId::as_str))
            .push_bind(record.content_hash.as_bytes().as_slice())
            .push_bind(key.as_str())
            .push_bind(entry.line);
    });
    sql
}
