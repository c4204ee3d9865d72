//! What someone may insert as `ingest`, or change as the administrator.

use crate::harness::{Pipeline, check};

pub const NOW: &str = "UTC_TIMESTAMP(6)";

/// A row that is no payment's, copied from `b` so that its columns fit its hash.
pub async fn forge(pipeline: &Pipeline, id: &str, key: &str, line: u32, more: &str) {
    let insert = format!(
        "INSERT INTO transactions (payment_id, transaction, amount, currency, status, payer_name, received_at, \
         extra, recorded_at, request_id, content_hash, object_key, object_line) \
         SELECT '{id}', transaction, amount, currency, status, payer_name, received_at, extra, recorded_at, \
         request_id, content_hash, '{key}', {line} FROM transactions WHERE payment_id = 'b'"
    );
    pipeline.run_sql(&insert).await;
    if !more.is_empty() {
        pipeline
            .run_sql(&format!(
                "UPDATE transactions SET {more} WHERE payment_id = '{id}'"
            ))
            .await;
    }
}

/// `counts`: lines, rows, duplicates, conflicts, rejects.
pub async fn enter(
    pipeline: &Pipeline,
    key: &str,
    etag: &str,
    counts: [u32; 5],
    ingested_at: &str,
) {
    let [lines, rows, duplicates, conflicts, rejects] = counts;
    let insert = format!(
        "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, \
         conflict_count, reject_count, ingested_at) VALUES ('{key}', '{etag}', {lines}, {rows}, {duplicates}, \
         {conflicts}, {rejects}, {ingested_at})"
    );
    pipeline.admin(&insert).await;
}

/// Sets each column as the administrator, expects what `named` says of it, and sets it back.
pub async fn check_each_column(
    pipeline: &Pipeline,
    table: &str,
    filter: &str,
    columns: &[(&'static str, &str)],
    named: impl Fn(&'static str) -> [&'static str; 2],
) {
    for (column, value) in columns {
        pipeline
            .run_sql(&format!(
                "DROP TABLE IF EXISTS kept; CREATE TABLE kept AS SELECT {column} AS kept FROM {table} WHERE {filter}"
            ))
            .await;
        let change = format!("UPDATE {table} SET {column} = {value} WHERE {filter}");
        pipeline.admin(&change).await;
        check(pipeline, 1, &[], &named(column)).await;
        let back = format!("UPDATE {table} SET {column} = (SELECT kept FROM kept) WHERE {filter}");
        pipeline.admin(&back).await;
    }
    check(pipeline, 0, &[], &[]).await;
}
