//! What an audit asks: the ledger and the rows in pages, and the rows of many payments at once.
//!
//! A user with SELECT alone can ask. No answer grows with the database: a page has a length, and a count is made
//! over a span of row numbers.

mod row;

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use payment_core::{ContentHash, ETag, ObjectKey, ObjectVersion, PaymentId, Timestamp};
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{AssertSqlSafe, MySqlConnection, QueryBuilder, Row as _};

pub use self::row::{Row, Table};
use crate::error::Error;
use crate::lease::{Lease, within};
use crate::list;
use crate::version::is_same_version;
use crate::{Found, Store};

/// A page takes milliseconds, a count over a span of rows seconds where the server reads from disk.
const QUERY_TIME_MAX: Duration = Duration::from_mins(1);

/// Entries of one page of the ledger.
const PAGE: u32 = 1000;

/// Payments of one look-up, a length of list that is prepared once.
pub const LOOKUP_IDS_MAX: usize = 512;

/// Sorts after every key: no key holds it.
const AFTER_ALL_KEYS: &str = "\u{10FFFF}";

/// Sorts after every ETag.
const AFTER_ALL_ETAGS: &str = "\x7f";

const LEDGER_PAGE: &str = "SELECT object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
    reject_count, ingested_at FROM ingested_objects \
    WHERE (object_key > ? OR (object_key = ? AND object_etag > ?)) AND object_key < ? \
    ORDER BY object_key, object_etag LIMIT ?";

const LEDGER_ENTRIES: &str = "SELECT object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
    reject_count, ingested_at FROM ingested_objects WHERE object_key = ? ORDER BY ingested_at";

const LEDGER_LINES: &str = "SELECT CAST(COALESCE(SUM(line_count), 0) AS UNSIGNED) FROM ingested_objects \
    WHERE object_key > ? AND object_key < ?";

const COUNT_ROWS: &str = "SELECT COUNT(*) FROM transactions \
    WHERE id > ? AND id <= ? AND object_key > ? AND object_key < ? AND recorded_at <= ?";

const CONFLICTS_OF: &str = "SELECT object_key, object_line, content_hash, recorded_at FROM conflicts \
    WHERE payment_id = ? ORDER BY id LIMIT 100";

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
    pub lines: u32,
    pub rows: u32,
    pub duplicates: u32,
    pub conflicts: u32,
    pub rejects: u32,
    pub ingested_at: Timestamp,
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

    fn before(&self) -> &str {
        self.before.as_deref().unwrap_or(AFTER_ALL_KEYS)
    }
}

impl LedgerEntry {
    /// Whether the entry stands for this version of its object.
    pub fn is_of(&self, version: &ObjectVersion) -> bool {
        self.key == version.key
            && is_same_version(
                self.etag.as_str(),
                self.ingested_at,
                version.etag.as_str(),
                version.stored_at,
            )
    }
}

impl Store {
    /// The entries of the span that follow `last`, in the order of their keys and ETags; none at the end.
    pub async fn ledger_page(
        &self,
        span: &KeySpan,
        last: Option<&LedgerEntry>,
    ) -> Result<Vec<LedgerEntry>, Error> {
        // Behind the last ETag of the key that the span leaves out, or behind the last entry.
        let (key, etag) = match last {
            Some(last) => (last.key.as_str(), last.etag.as_str()),
            None => (span.after.as_str(), AFTER_ALL_ETAGS),
        };
        self.ask(async |connection| {
            let query = sqlx::query(LEDGER_PAGE).bind(key).bind(key).bind(etag);
            let query = query.bind(span.before());
            let rows = query.bind(PAGE).fetch_all(connection).await?;
            rows.iter().map(ledger_entry).collect()
        })
        .await
    }

    /// All versions of the object that were ingested, the earliest first.
    pub async fn ledger_entries(&self, key: &ObjectKey) -> Result<Vec<LedgerEntry>, Error> {
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
            let query = sqlx::query_scalar(LEDGER_LINES)
                .bind(&span.after)
                .bind(span.before());
            Ok(query.fetch_one(connection).await?)
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
            let row = |row: &MySqlRow| Row::read(row).map(|row| (row.payment_id.clone(), row));
            rows.iter().map(row).collect()
        })
        .await
    }

    /// The rows with numbers above `after`, up to `until`.
    pub async fn rows_between(
        &self,
        table: Table,
        after: u64,
        until: u64,
    ) -> Result<Vec<Row>, Error> {
        self.ask(async |connection| {
            let sql = format!("{} WHERE id > ? AND id <= ? ORDER BY id", table.select());
            let query = sqlx::query(AssertSqlSafe(sql)).bind(after).bind(until);
            let rows = query.fetch_all(connection).await?;
            rows.iter().map(Row::read).collect()
        })
        .await
    }

    /// How many of these rows name an object of the span, and were recorded by `recorded_by`.
    pub async fn count_rows(
        &self,
        after: u64,
        until: u64,
        span: &KeySpan,
        recorded_by: Timestamp,
    ) -> Result<u64, Error> {
        self.ask(async |connection| {
            let query = sqlx::query_scalar(COUNT_ROWS).bind(after).bind(until);
            let query = query.bind(&span.after).bind(span.before());
            let count: i64 = query
                .bind(recorded_by.to_datetime())
                .fetch_one(connection)
                .await?;
            u64::try_from(count).map_err(|_| Error::Unreadable { column: "COUNT(*)" })
        })
        .await
    }

    /// The highest number of a row; 0 where there is none.
    pub async fn last_row(&self, table: Table) -> Result<u64, Error> {
        self.ask(async |connection| {
            let sql = format!("SELECT MAX(id) FROM {}", table.name());
            let last: Option<u64> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(connection)
                .await?;
            Ok(last.unwrap_or(0))
        })
        .await
    }

    /// The hashes of those lines of the version that are conflicts.
    pub async fn conflicts_at(
        &self,
        entry: &LedgerEntry,
        lines: &[u32],
    ) -> Result<HashMap<u32, ContentHash>, Error> {
        let rows = self
            .lines_at("object_line, content_hash FROM conflicts", entry, lines)
            .await?;
        let hash = |row: &MySqlRow| Ok((row.try_get(0)?, row::content_hash(row, 1)?));
        rows.iter().map(hash).collect()
    }

    /// Those lines of the version that are rejects.
    pub async fn rejects_at(
        &self,
        entry: &LedgerEntry,
        lines: &[u32],
    ) -> Result<HashSet<u32>, Error> {
        let rows = self
            .lines_at("object_line FROM rejects", entry, lines)
            .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
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

    async fn lines_at(
        &self,
        what: &'static str,
        entry: &LedgerEntry,
        lines: &[u32],
    ) -> Result<Vec<MySqlRow>, Error> {
        if lines.is_empty() {
            return Ok(Vec::new());
        }
        self.ask(async |connection| {
            let mut sql = QueryBuilder::new(format!("SELECT {what} WHERE object_key = "));
            sql.push_bind(entry.key.as_str())
                .push(" AND object_etag = ")
                .push_bind(entry.etag.as_str())
                .push(" AND object_line IN ");
            list::push(&mut sql, lines.iter().copied());
            Ok(sql.build().fetch_all(connection).await?)
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
        lines: row.try_get(2)?,
        rows: row.try_get(3)?,
        duplicates: row.try_get(4)?,
        conflicts: row.try_get(5)?,
        rejects: row.try_get(6)?,
        ingested_at: Timestamp::from_datetime(row.try_get(7)?),
    })
}

fn conflict(row: &MySqlRow) -> Result<Conflict, Error> {
    Ok(Conflict {
        object_key: row.try_get(0)?,
        object_line: row.try_get(1)?,
        content_hash: row::content_hash(row, 2)?,
        recorded_at: Timestamp::from_datetime(row.try_get(3)?),
    })
}
