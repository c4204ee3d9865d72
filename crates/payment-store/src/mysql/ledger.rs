//! The objects that were taken whole: `ingested_objects`.

use std::collections::HashSet;

use sqlx::{MySqlConnection, QueryBuilder, Row};

use crate::Outcome;
use crate::error::Error;
use crate::key::KeyColumn;
use crate::list;

const FIND: &str = "SELECT line_count, row_count, duplicate_count, conflict_count, reject_count \
    FROM ingested_objects WHERE object_key = ?";

const INSERT: &str = "INSERT INTO ingested_objects \
    (object_key, line_count, row_count, duplicate_count, conflict_count, reject_count) VALUES (?, ?, ?, ?, ?, ?)";

pub(super) async fn find(
    connection: &mut MySqlConnection,
    key: KeyColumn<'_>,
) -> Result<Option<Outcome>, Error> {
    let Some(row) = sqlx::query(FIND)
        .bind(key.as_str())
        .fetch_optional(connection)
        .await?
    else {
        return Ok(None);
    };
    Ok(Some(Outcome {
        already: true,
        lines: row.try_get("line_count")?,
        rows: row.try_get("row_count")?,
        duplicates: row.try_get("duplicate_count")?,
        conflicts: row.try_get("conflict_count")?,
        rejects: row.try_get("reject_count")?,
        failed: 0,
    }))
}

pub(super) async fn insert(
    connection: &mut MySqlConnection,
    key: KeyColumn<'_>,
    outcome: &Outcome,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(INSERT)
        .bind(key.as_str())
        .bind(outcome.lines)
        .bind(outcome.rows)
        .bind(outcome.duplicates)
        .bind(outcome.conflicts)
        .bind(outcome.rejects)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

pub(super) async fn among(
    connection: &mut MySqlConnection,
    keys: &[KeyColumn<'_>],
) -> Result<HashSet<String>, Error> {
    let mut sql = QueryBuilder::new("SELECT object_key FROM ingested_objects WHERE object_key IN ");
    list::push(&mut sql, keys.iter().map(|key| key.as_str()));
    let found: Vec<String> = sql.build_query_scalar().fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}
