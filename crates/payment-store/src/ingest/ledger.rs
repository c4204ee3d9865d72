//! The objects that were taken whole: `ingested_objects`.

use sqlx::{MySqlConnection, Row};

use super::Outcome;
use crate::driver::{DriverError, Kind};
use crate::error::Error;
use crate::key::KeyColumn;

pub(super) const TABLE: &str = "ingested_objects";

const FIND: &str = "SELECT line_count, row_count, duplicate_count, conflict_count, reject_count \
    FROM ingested_objects WHERE object_key = ?";

const INSERT: &str = "INSERT INTO ingested_objects \
    (object_key, line_count, row_count, duplicate_count, conflict_count, reject_count) VALUES (?, ?, ?, ?, ?, ?)";

/// What became of the object, where it was taken.
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

/// Marks the object as taken. `false` where another transaction did.
pub(super) async fn insert(
    connection: &mut MySqlConnection,
    key: KeyColumn<'_>,
    outcome: &Outcome,
) -> Result<bool, Error> {
    let done = sqlx::query(INSERT)
        .bind(key.as_str())
        .bind(outcome.lines)
        .bind(outcome.rows)
        .bind(outcome.duplicates)
        .bind(outcome.conflicts)
        .bind(outcome.rejects)
        .execute(connection)
        .await
        .map_err(DriverError::from);
    match done {
        Ok(done) if done.rows_affected() == 1 => Ok(true),
        Ok(done) => Err(Error::RowCount {
            table: TABLE,
            sent: 1,
            stored: done.rows_affected(),
        }),
        Err(error) if error.kind() == Kind::KeyTaken => Ok(false),
        Err(error) => Err(error.into()),
    }
}
