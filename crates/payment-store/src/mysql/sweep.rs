//! The sweep's own tables: `sweep_progress` and `sweep_deferred`.

use std::collections::HashMap;

use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlConnection, Row};

use super::columns;
use crate::error::Error;
use crate::sweep::Deferred;
use crate::version::VersionColumns;

const POSITIONS: &str = "SELECT pass, position FROM sweep_progress WHERE id IN \
    (SELECT MAX(id) FROM sweep_progress WHERE journal = ? GROUP BY pass)";

/// What is older is left to `payctl reconcile`: for as long also events are kept.
const DEFERRED: &str = "SELECT id, object_key, object_etag, stored_at FROM sweep_deferred \
    WHERE id > ? AND journal = ? AND deferred_at > CURRENT_TIMESTAMP - INTERVAL 14 DAY ORDER BY id LIMIT ?";

pub(super) async fn positions(
    connection: &mut MySqlConnection,
    journal: &str,
) -> Result<HashMap<String, String>, Error> {
    let rows = sqlx::query(POSITIONS)
        .bind(journal)
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| Ok((row.try_get("pass")?, row.try_get("position")?)))
        .collect()
}

pub(super) async fn insert_position(
    connection: &mut MySqlConnection,
    journal: &str,
    pass: &str,
    position: &str,
) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "INSERT INTO sweep_progress ({}) VALUES (?, ?, ?)",
        columns::SWEEP_PROGRESS
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(journal)
        .bind(pass)
        .bind(position)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

pub(super) async fn deferred(
    connection: &mut MySqlConnection,
    journal: &str,
    after: u64,
    limit: u32,
) -> Result<Vec<Deferred>, Error> {
    let rows = sqlx::query(DEFERRED)
        .bind(after)
        .bind(journal)
        .bind(limit)
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &MySqlRow) -> Result<Deferred, Error> {
    let key: &str = row.try_get("object_key")?;
    let key = ObjectKey::parse(key).ok_or(Error::Unreadable {
        column: "object_key",
    })?;
    Ok(Deferred {
        id: row.try_get("id")?,
        version: ObjectVersion {
            key,
            etag: ETag::parse(row.try_get("object_etag")?),
            stored_at: Timestamp::from_datetime(row.try_get("stored_at")?),
        },
    })
}

pub(super) async fn insert_deferred(
    connection: &mut MySqlConnection,
    journal: &str,
    object: VersionColumns<'_>,
) -> Result<u64, sqlx::Error> {
    let sql = format!(
        "INSERT INTO sweep_deferred ({}) VALUES (?, ?, ?, ?)",
        columns::SWEEP_DEFERRED
    );
    let done = sqlx::query(AssertSqlSafe(sql))
        .bind(journal)
        .bind(object.key())
        .bind(object.etag())
        .bind(object.stored_at().to_datetime())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}
