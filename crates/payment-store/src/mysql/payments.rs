//! A payment's columns, alike in `transactions` and `conflicts`.

use payment_core::{Currency, RequestId};
use sqlx::query_builder::Separated;
use sqlx::{MySql, QueryBuilder};

use super::columns;
use crate::backend::Entry;
use crate::version::VersionColumns;

pub(super) fn insert(object: VersionColumns<'_>, entries: &[&Entry<'_>]) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(format!(
        "INSERT INTO transactions ({}) ",
        columns::TRANSACTIONS
    ));
    sql.push_values(entries, |mut row, entry| push(&mut row, object, entry));
    sql
}

pub(super) fn insert_conflicts(
    object: VersionColumns<'_>,
    entries: &[&Entry<'_>],
) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(format!("INSERT INTO conflicts ({}) ", columns::CONFLICTS));
    sql.push_values(entries, |mut row, entry| {
        push(&mut row, object, entry);
        row.push_bind(object.etag());
    });
    sql
}

/// The amount goes as text: the server makes a DECIMAL of it without a float between.
fn push(
    row: &mut Separated<'_, MySql, &'static str>,
    object: VersionColumns<'_>,
    entry: &Entry<'_>,
) {
    let (record, payment) = (entry.record, entry.payment());
    row.push_bind(payment.client().as_str())
        .push_bind(payment.id().as_str())
        .push_bind(payment.transaction())
        .push_bind(payment.amount().map(|amount| amount.to_string()))
        .push_bind(payment.currency().map(Currency::code))
        .push_bind(payment.status().as_str())
        .push_bind(payment.payer_name())
        .push_bind(record.received_at.to_datetime())
        .push_bind(entry.extra.as_str())
        .push_bind(record.request_id.as_ref().map(RequestId::as_str))
        .push_bind(record.content_hash.as_bytes().as_slice())
        .push_bind(object.key())
        .push_bind(entry.line);
}
