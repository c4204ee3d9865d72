//! The versions of objects that were ingested whole: `ingested_objects`.

use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlConnection, QueryBuilder, Row};

use super::columns;
use crate::error::Error;
use crate::list;
use crate::version::{LedgerKey, VersionColumns};
use crate::{Fingerprint, Outcome};
use payment_core::Timestamp;

const KEYS: &str =
    "SELECT object_key, object_etag, ingested_at FROM ingested_objects WHERE object_key IN ";

const FIND: &str = "SELECT object_key, object_etag, ingested_at, line_count, row_count, duplicate_count, \
    conflict_count, reject_count FROM ingested_objects WHERE object_key = ?";

pub(super) async fn find(
    connection: &mut MySqlConnection,
    object: VersionColumns<'_>,
) -> Result<Option<Outcome>, Error> {
    let rows = sqlx::query(FIND)
        .bind(object.key())
        .fetch_all(connection)
        .await?;
    for row in &rows {
        if object.is_taken_by(&ledger_key(row)?) {
            return outcome(row).map(Some);
        }
    }
    Ok(None)
}

fn outcome(row: &MySqlRow) -> Result<Outcome, Error> {
    Ok(Outcome {
        already: true,
        lines: row.try_get("line_count")?,
        rows: row.try_get("row_count")?,
        duplicates: row.try_get("duplicate_count")?,
        conflicts: row.try_get("conflict_count")?,
        rejects: row.try_get("reject_count")?,
        own_rejects: 0,
        failed: 0,
    })
}

pub(super) async fn insert(
    connection: &mut MySqlConnection,
    object: VersionColumns<'_>,
    outcome: &Outcome,
    fingerprint: Fingerprint,
) -> Result<u64, sqlx::Error> {
    let Fingerprint { sha256, position } = fingerprint;
    let sql = format!(
        "INSERT INTO ingested_objects ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        columns::INGESTED_OBJECTS
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(object.key())
        .bind(object.etag())
        .bind(outcome.lines)
        .bind(outcome.rows)
        .bind(outcome.duplicates)
        .bind(outcome.conflicts)
        .bind(outcome.rejects)
        .bind(sha256.as_ref().map(|hash| &hash.as_bytes()[..]))
        .bind(position.map(|position| position.run.to_string()))
        .bind(position.map(|position| position.seq))
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

pub(super) async fn keys(
    connection: &mut MySqlConnection,
    objects: &[VersionColumns<'_>],
) -> Result<Vec<LedgerKey>, Error> {
    let mut sql = QueryBuilder::new(KEYS);
    list::push(&mut sql, objects.iter().map(|object| object.key()));
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(ledger_key).collect()
}

fn ledger_key(row: &MySqlRow) -> Result<LedgerKey, Error> {
    Ok(LedgerKey {
        key: row.try_get("object_key")?,
        etag: row.try_get("object_etag")?,
        ingested_at: Timestamp::from_datetime(row.try_get("ingested_at")?),
    })
}
