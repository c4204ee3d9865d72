//! What an audit asks: the ledger and the rows in pages, and the rows of many payments at once.
//!
//! A user with SELECT alone can ask. No answer grows with the database: a page has a length, and goes on behind the
//! last row that there is, whatever its number. Nothing that a row holds makes a page fail.

mod reject;
mod row;
mod tables;

use std::collections::HashMap;
use std::time::Duration;

use payment_core::{ContentHash, ETag, ObjectKey, ObjectVersion, PaymentId, Timestamp};
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, QueryBuilder, Row as _};

pub use self::reject::RejectRow;
pub use self::row::{Row, Stored, Table};
pub use self::tables::{LineTable, Origin, RowSpan};
use crate::error::Error;
use crate::lease::{Lease, within};
use crate::list;
use crate::version::is_same_version;
use crate::{Found, Store};

/// A page takes milliseconds, a count over a span of rows seconds if the server reads from disk.
const QUERY_TIME_MAX: Duration = Duration::from_mins(1);

/// The clocks of S3, of the app tier and of the database may differ by as much.
const CLOCK_SKEW: time::Duration = time::Duration::seconds(5);

/// Entries of one page of the ledger.
const PAGE: u32 = 1000;

/// Payments of one look-up, a length of list that is prepared once.
pub const LOOKUP_IDS_MAX: usize = 512;

const LEDGER_PAGE: &str = "SELECT object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
    reject_count, ingested_at, ingested_at > UTC_TIMESTAMP(6) FROM ingested_objects \
    WHERE OCTET_LENGTH(object_key) BETWEEN 1 AND 1024 AND ";

const LEDGER_ENTRIES: &str = "SELECT object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
    reject_count, ingested_at, ingested_at > UTC_TIMESTAMP(6) FROM ingested_objects WHERE object_key = ? \
    ORDER BY ingested_at";

const LEDGER_LINES: &str =
    "SELECT CAST(COALESCE(SUM(line_count), 0) AS UNSIGNED) FROM ingested_objects WHERE ";

/// Entries that the pages leave out: their key is none of S3's, or begins with a character that the collation sorts
/// before nothing at all.
const LEDGER_STRAYS: &str = "SELECT object_key FROM ingested_objects \
    WHERE object_key <= '' OR OCTET_LENGTH(object_key) > 1024 LIMIT 1000";

const CONFLICTS_OF: &str = "SELECT object_key, object_line, content_hash, recorded_at FROM conflicts \
    WHERE payment_id = ? ORDER BY id LIMIT 100";

/// Condition on a row `t` of `rejects`. A reject whose id nobody could read is never settled: a person has to look at
/// its line.
const IS_UNSETTLED_OWN: &str = "(t.is_own AND (t.payment_id IS NULL OR NOT EXISTS \
    (SELECT 1 FROM transactions p WHERE p.payment_id = t.payment_id) AND NOT EXISTS \
    (SELECT 1 FROM conflicts c WHERE c.payment_id = t.payment_id)))";

/// Keys between two texts, without either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpan {
    pub after: String,
    /// `None`: to the last key.
    pub before: Option<String>,
}

/// What the ledger says of one version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    pub key: ObjectKey,
    /// Unknown for an object that was ingested before ETags were recorded.
    pub etag: ETag,
    /// As the column has it, which may be no ETag that anybody writes.
    stored_etag: String,
    pub lines: u32,
    pub rows: u32,
    pub duplicates: u32,
    pub conflicts: u32,
    pub rejects: u32,
    pub ingested_at: Timestamp,
    /// By the database's own clock.
    pub is_from_the_future: bool,
}

/// A line of the log whose payment id was held by other content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub object_key: String,
    pub object_line: u32,
    pub content_hash: ContentHash,
    pub recorded_at: Timestamp,
}

impl KeySpan {
    pub fn contains(&self, key: &str) -> bool {
        key > self.after.as_str() && self.before.as_deref().is_none_or(|before| key < before)
    }

    /// Adds the condition that a key lies in the span, behind `last` where there is one. No text sorts after all keys
    /// that someone may insert, so an open end has no bound.
    fn push(&self, sql: &mut QueryBuilder<MySql>, last: Option<&LedgerEntry>) {
        match last {
            Some(last) => {
                let key = last.key.as_str();
                sql.push("(object_key > ").push_bind(key.to_owned());
                sql.push(" OR (object_key = ").push_bind(key.to_owned());
                sql.push(" AND object_etag > ");
                sql.push_bind(last.stored_etag.clone()).push("))");
            }
            None => {
                sql.push("object_key > ").push_bind(self.after.clone());
            }
        }
        if let Some(before) = &self.before {
            sql.push(" AND object_key < ").push_bind(before.clone());
        }
    }
}

impl LedgerEntry {
    /// Whether the entry stands for this version of its object.
    pub fn is_of(&self, version: &ObjectVersion) -> bool {
        self.key == *version.key.recorded()
            && is_same_version(
                &self.stored_etag,
                self.ingested_at,
                version.etag.as_str(),
                version.stored_at,
            )
    }

    /// Whether it may have been written when it says so, for lines that were received by then.
    pub fn is_possible(&self, received_by: Option<Timestamp>) -> bool {
        let ingested_at = self.ingested_at.to_utc().saturating_add(CLOCK_SKEW);
        let is_early = received_by.is_some_and(|received_by| ingested_at < received_by.to_utc());
        !self.is_from_the_future && !is_early
    }
}

impl Store {
    /// The entries of the span that follow `last`, in the order of their keys and ETags; none at the end.
    pub async fn ledger_page(
        &self,
        span: &KeySpan,
        last: Option<&LedgerEntry>,
    ) -> Result<Vec<LedgerEntry>, Error> {
        self.ask(async |connection| {
            let mut sql = QueryBuilder::new(LEDGER_PAGE);
            span.push(&mut sql, last);
            sql.push(format!(" ORDER BY object_key, object_etag LIMIT {PAGE}"));
            let rows = sql.build().fetch_all(connection).await?;
            rows.iter().map(ledger_entry).collect()
        })
        .await
    }

    /// All versions of the object that were ingested, the earliest first.
    pub async fn ledger_entries(&self, key: &ObjectKey) -> Result<Vec<LedgerEntry>, Error> {
        let key = key.recorded();
        self.ask(async |connection| {
            let query = sqlx::query(LEDGER_ENTRIES).bind(key.as_str());
            let rows = query.fetch_all(connection).await?;
            let mut entries: Vec<_> = rows.iter().map(ledger_entry).collect::<Result<_, _>>()?;
            // To the database's collation, a key that ends in a space is the same as one that does not.
            entries.retain(|entry| entry.key == *key);
            Ok(entries)
        })
        .await
    }

    /// What the ledger says of this version.
    pub async fn ledger_entry(
        &self,
        version: &ObjectVersion,
    ) -> Result<Option<LedgerEntry>, Error> {
        let entries = self.ledger_entries(&version.key).await?;
        Ok(entries.into_iter().find(|entry| entry.is_of(version)))
    }

    /// The entry that was written in the row's own transaction. The object may have been ingested in other versions
    /// before and after.
    pub async fn ledger_entry_of_row(&self, row: &Found) -> Result<Option<LedgerEntry>, Error> {
        let entries = self.ledger_entries(&row.object_key).await?;
        let is_own = |entry: &LedgerEntry| entry.ingested_at >= row.recorded_at;
        Ok(entries.into_iter().find(is_own))
    }

    /// Lines of all objects of the ledger.
    pub async fn ledger_lines(&self, span: &KeySpan) -> Result<u64, Error> {
        self.ask(async |connection| {
            let mut sql = QueryBuilder::new(LEDGER_LINES);
            span.push(&mut sql, None);
            Ok(sql.build_query_scalar().fetch_one(connection).await?)
        })
        .await
    }

    /// The rows of these payments, at most [`LOOKUP_IDS_MAX`].
    pub async fn rows_of(&self, ids: &[&PaymentId]) -> Result<HashMap<String, Row>, Error> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        self.ask(async |connection| {
            let mut sql = QueryBuilder::new(Table::Transactions.select());
            sql.push(" WHERE payment_id IN ");
            list::push(&mut sql, ids.iter().map(|id| id.as_str()));
            let rows = sql.build().fetch_all(connection).await?;
            let row = |row: &MySqlRow| {
                let row = Row::read(row);
                (row.payment_id.clone(), row)
            };
            Ok(rows.iter().map(row).collect())
        })
        .await
    }

    /// Keys of entries that no page has: the first thousand.
    pub async fn ledger_strays(&self) -> Result<Vec<String>, Error> {
        self.ask(async |connection| {
            let query = sqlx::query_scalar(LEDGER_STRAYS);
            Ok(query.fetch_all(connection).await?)
        })
        .await
    }

    /// Other content that came under this id: the first hundred.
    pub async fn conflicts_of(&self, id: &PaymentId) -> Result<Vec<Conflict>, Error> {
        self.ask(async |connection| {
            let query = sqlx::query(CONFLICTS_OF).bind(id.as_str());
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(conflict).collect()
        })
        .await
    }

    /// How many accepted payments are rejects, and neither rows nor conflicts by now.
    pub async fn unsettled_own_rejects(&self) -> Result<u64, Error> {
        let sql = format!("SELECT COUNT(*) FROM rejects t WHERE {IS_UNSETTLED_OWN}");
        self.ask(async |connection| {
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(connection)
                .await?;
            u64::try_from(count).map_err(|_| Error::Unreadable { column: "COUNT(*)" })
        })
        .await
    }

    /// The server's clock, which `recorded_at` and `ingested_at` are read from.
    pub async fn clock(&self) -> Result<Timestamp, Error> {
        self.ask(async |connection| {
            let now: PrimitiveDateTime = sqlx::query_scalar("SELECT UTC_TIMESTAMP(6)")
                .fetch_one(connection)
                .await?;
            Ok(Timestamp::from_datetime(now))
        })
        .await
    }

    async fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&mut MySqlConnection) -> Result<T, Error>,
    ) -> Result<T, Error> {
        within(QUERY_TIME_MAX, async {
            let mut lease = Lease::take(self.backend.pool()).await?;
            let answer = question(lease.connection()?).await;
            lease.give_back();
            answer
        })
        .await
    }
}

fn ledger_entry(row: &MySqlRow) -> Result<LedgerEntry, Error> {
    Ok(LedgerEntry {
        key: ObjectKey::parse(row.try_get(0)?).ok_or(Error::Unreadable {
            column: "object_key",
        })?,
        etag: ETag::parse(row.try_get(1)?),
        stored_etag: row.try_get(1)?,
        lines: row.try_get(2)?,
        rows: row.try_get(3)?,
        duplicates: row.try_get(4)?,
        conflicts: row.try_get(5)?,
        rejects: row.try_get(6)?,
        // A session without strict mode may have put a date in it that there is not.
        ingested_at: row
            .try_get(7)
            .map_or(Timestamp::EPOCH, Timestamp::from_datetime),
        is_from_the_future: row.try_get::<i64, _>(8).unwrap_or(1) != 0,
    })
}

fn conflict(row: &MySqlRow) -> Result<Conflict, Error> {
    Ok(Conflict {
        object_key: row.try_get(0)?,
        object_line: row.try_get(1)?,
        content_hash: ContentHash::from_bytes(row.try_get(2)?).ok_or(Error::Unreadable {
            column: "content_hash",
        })?,
        recorded_at: Timestamp::from_datetime(row.try_get(3)?),
    })
}
