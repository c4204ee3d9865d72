//! What an audit asks: the ledger and the rows in pages, and the rows of many payments at once.
//!
//! A user with SELECT alone can ask. No answer grows with the database: a page has a length, and goes on behind the
//! last row that there is, whatever its number. Nothing that a row holds makes a page fail.

#[cfg(test)]
mod plan_tests;
mod reject;
mod row;
mod tables;

use std::time::Duration;

use payment_core::chain::{Node, RunId};
use payment_core::{ETag, ObjectKey, ObjectVersion, PaymentId, PaymentKey, Timestamp};
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;
use sqlx::{AssertSqlSafe, MySql, MySqlConnection, QueryBuilder, Row as _};

pub use self::reject::RejectRow;
pub use self::row::{Row, Rows, RowsByPayment, Stored, Table};
pub use self::tables::{LineTable, Origin, Recorded, RowSpan, RowsOfObject};
use crate::error::Error;
use crate::lease::{Lease, within};
use crate::list;
use crate::version::is_same_version;
use crate::{Fingerprint, Found, Store};

/// A page takes milliseconds, a count over a span of rows seconds if the server reads from disk.
const QUERY_TIME_MAX: Duration = Duration::from_mins(1);

/// The clocks of S3, of the app tier and of the database may differ by as much.
const CLOCK_SKEW: time::Duration = time::Duration::seconds(5);

/// Entries of one page of the ledger.
const PAGE: u32 = 1000;

/// Payments of one look-up, a length of list that is prepared once.
pub const LOOKUP_IDS_MAX: usize = 512;

/// Versions of one object that are looked at. Nobody corrects an object so often, and nothing else bounds them.
pub const VERSIONS_MAX: usize = 1000;

/// Objects of the numbers that one header has and names: an answer of as many may be cut short.
pub const NUMBERED_MAX: usize = 4096;

/// Conflicts and clients of one id that are looked up: an answer of as many may be cut short.
pub const LISTED_MAX: usize = 100;

/// MySQL at times prefers to sort the whole table where a page begins near its start.
const LEDGER: &str = "SELECT object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
    reject_count, ingested_at, ingested_at > UTC_TIMESTAMP(6), sha256, run, seq \
    FROM ingested_objects FORCE INDEX (ingested_objects_version) WHERE ";

const LEDGER_LINES: &str =
    "SELECT CAST(COALESCE(SUM(line_count), 0) AS UNSIGNED) FROM ingested_objects WHERE ";

/// Entries that the pages leave out: their key is none of S3's, or begins with a character that the collation sorts
/// before nothing at all.
const LEDGER_STRAYS: &str = "SELECT object_key FROM ingested_objects \
    WHERE object_key <= '' OR OCTET_LENGTH(object_key) > 1024 LIMIT 1000";

/// Condition on a row `t` of `rejects`. Nothing but a row of its id settles it: a conflict has one, too, and a conflict
/// without one is nobody's. A reject whose id nobody could read is never settled: a person has to look at its line. A
/// function that did not know the line's version did not know its client either: any client's row of the id settles
/// that, and an audit of the object holds the line itself against its own client's row. Nor did it know a header, which
/// has no id and is no payment; whether the first line is one, an audit looks at as well.
const IS_UNSETTLED_OWN: &str = "(t.is_own \
    AND NOT (t.payment_id IS NULL AND t.object_line = 1 AND t.reason = 'unsupported_version') \
    AND (t.payment_id IS NULL OR NOT EXISTS \
    (SELECT 1 FROM transactions p WHERE p.payment_id = t.payment_id \
    AND (p.client = t.client OR t.client = '' AND t.reason = 'unsupported_version'))))";

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
    /// Whether it is ahead of the database's own clock.
    pub is_from_the_future: bool,
    /// `None` if its columns hold what no function writes.
    pub fingerprint: Option<Fingerprint>,
}

impl KeySpan {
    pub fn contains(&self, key: &str) -> bool {
        key > self.after.as_str() && self.before.as_deref().is_none_or(|before| key < before)
    }

    /// Adds the condition that a key lies in the span. No text sorts after all keys that someone may insert, so an open
    /// end has no bound.
    fn push(&self, sql: &mut QueryBuilder<MySql>) {
        sql.push("object_key > ").push_bind(self.after.clone());
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

    /// Adds the condition that a row stands behind this one, in the order of the index `ingested_objects_version`. To the
    /// collation, `a` and `a ` are equal; the length tells them apart.
    fn push_behind(&self, sql: &mut QueryBuilder<MySql>) {
        let (key, etag) = (self.key.as_str(), &self.stored_etag);
        sql.push(" AND object_key >= ").push_bind(key.to_owned());
        sql.push(" AND (object_key > ").push_bind(key.to_owned());
        sql.push(" OR object_etag > ").push_bind(etag.clone());
        sql.push(" OR (object_etag = ").push_bind(etag.clone());
        sql.push(" AND key_bytes > ").push_bind(octets(&self.key));
        sql.push("))");
    }
}

impl Store {
    /// The entries of the span that follow `last`, in the order of their keys and ETags, each once; none at the end.
    pub async fn ledger_page(
        &self,
        span: &KeySpan,
        last: Option<&LedgerEntry>,
    ) -> Result<Vec<LedgerEntry>, Error> {
        self.entries(page_of(LEDGER, span, last)).await
    }

    /// The versions of the object that were ingested, the earliest first: the first [`VERSIONS_MAX`].
    pub async fn ledger_entries(&self, key: &ObjectKey) -> Result<Vec<LedgerEntry>, Error> {
        let mut sql = of_object(&key.recorded());
        sql.push(format!(" ORDER BY ingested_at, id LIMIT {VERSIONS_MAX}"));
        self.entries(sql).await
    }

    /// What the ledger says of this version.
    pub async fn ledger_entry(
        &self,
        version: &ObjectVersion,
    ) -> Result<Option<LedgerEntry>, Error> {
        let entries = self.ledger_entries_of(version).await?;
        Ok(entries.into_iter().next())
    }

    /// The entries that stand for this version: one, and perhaps one from before ETags were recorded.
    pub async fn ledger_entries_of(
        &self,
        version: &ObjectVersion,
    ) -> Result<Vec<LedgerEntry>, Error> {
        let mut sql = of_object(&version.key.recorded());
        let etag = version.etag.as_str().to_owned();
        sql.push(" AND object_etag IN ('', ").push_bind(etag);
        sql.push(") ORDER BY ingested_at, id");
        let mut entries = self.entries(sql).await?;
        entries.retain(|entry| entry.is_of(version));
        Ok(entries)
    }

    /// Whether a version with this ETag was ingested. An entry from before ETags were recorded says nothing of it.
    pub async fn has_ingested(&self, key: &ObjectKey, etag: &ETag) -> Result<bool, Error> {
        let mut sql = of_object(&key.recorded());
        sql.push(" AND object_etag = ")
            .push_bind(etag.as_str().to_owned());
        Ok(!self.entries(sql).await?.is_empty())
    }

    /// The entry that was written in the row's own transaction. The object may have been ingested in other versions
    /// before and after.
    pub async fn ledger_entry_of_row(&self, row: &Found) -> Result<Option<LedgerEntry>, Error> {
        let entries = self.ledger_entries(&row.object_key).await?;
        let is_own = |entry: &LedgerEntry| entry.ingested_at >= row.recorded_at;
        Ok(entries.into_iter().find(is_own))
    }

    /// The node's objects that have these numbers of a run: the first [`NUMBERED_MAX`]. No index helps.
    pub async fn objects_numbered(
        &self,
        run: RunId,
        node: Node,
        numbers: &[u64],
    ) -> Result<Vec<(u64, ObjectKey)>, Error> {
        let mut sql =
            QueryBuilder::new("SELECT seq, object_key FROM ingested_objects WHERE run = ");
        sql.push_bind(run.to_string()).push(" AND seq IN ");
        list::push(&mut sql, numbers.iter().copied());
        sql.push(" AND object_key LIKE ")
            .push_bind(format!("%-{node}.ndjson"))
            .push(format!(" LIMIT {NUMBERED_MAX}"));
        self.ask(async |connection| {
            let rows: Vec<(u64, String)> = sql.build_query_as().fetch_all(connection).await?;
            let numbered = rows.into_iter();
            Ok(numbered
                .filter_map(|(seq, key)| Some((seq, ObjectKey::parse(&key)?)))
                .collect())
        })
        .await
    }

    /// Lines of all objects of the ledger.
    pub async fn ledger_lines(&self, span: &KeySpan) -> Result<u64, Error> {
        self.ask(async |connection| {
            let mut sql = QueryBuilder::new(LEDGER_LINES);
            span.push(&mut sql);
            Ok(sql.build_query_scalar().fetch_one(connection).await?)
        })
        .await
    }

    /// The rows of these payments, at most [`LOOKUP_IDS_MAX`].
    pub async fn rows_of(&self, payments: &[&PaymentKey]) -> Result<Rows, Error> {
        self.ask(async |connection| rows_of(connection, payments).await)
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

    /// The rows of this id, one a client: the first [`LISTED_MAX`].
    pub async fn rows_of_id(&self, id: &PaymentId) -> Result<Rows, Error> {
        let sql = format!(
            "{} WHERE payment_id = ? ORDER BY client LIMIT {LISTED_MAX}",
            Table::Transactions.select()
        );
        self.ask(async |connection| {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(id.as_str());
            Ok(Rows::new(query.fetch_all(connection).await?))
        })
        .await
    }

    /// Other content that came under this client's id: the first [`LISTED_MAX`].
    pub async fn conflicts_of(&self, payment: &PaymentKey) -> Result<Rows, Error> {
        let sql = format!(
            "{} WHERE payment_id = ? AND client = ? ORDER BY id LIMIT {LISTED_MAX}",
            Table::Conflicts.select()
        );
        self.ask(async |connection| {
            let query = sqlx::query(AssertSqlSafe(sql))
                .bind(payment.id.as_str())
                .bind(payment.client.as_str());
            Ok(Rows::new(query.fetch_all(connection).await?))
        })
        .await
    }

    /// How many accepted payments are rejects, and no rows by now.
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

    async fn entries(&self, mut sql: QueryBuilder<MySql>) -> Result<Vec<LedgerEntry>, Error> {
        self.ask(async |connection| {
            let rows = sql.build().fetch_all(connection).await?;
            rows.iter().map(ledger_entry).collect()
        })
        .await
    }

    pub(crate) async fn ask<T>(
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

async fn rows_of(
    connection: &mut MySqlConnection,
    payments: &[&PaymentKey],
) -> Result<Rows, Error> {
    if payments.is_empty() {
        return Ok(Rows::default());
    }
    let mut sql = QueryBuilder::new(Table::Transactions.select());
    sql.push(" WHERE payment_id IN ");
    list::push(&mut sql, payments.iter().map(|payment| payment.id.as_str()));
    let rows = sql.build().fetch_all(connection).await?;
    Ok(Rows::of_payments(rows, payments))
}

/// Asks for a page in the order of the index `ingested_objects_version`.
fn page_of(select: &str, span: &KeySpan, last: Option<&LedgerEntry>) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(select);
    sql.push("OCTET_LENGTH(object_key) BETWEEN 1 AND 1024 AND ");
    span.push(&mut sql);
    if let Some(last) = last {
        last.push_behind(&mut sql);
    }
    sql.push(format!(
        " ORDER BY object_key, object_etag, key_bytes LIMIT {PAGE}"
    ));
    sql
}

/// Asks for the entries of this very key: of two that the collation takes for equal, the length tells.
fn of_object(key: &ObjectKey) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(LEDGER);
    sql.push("object_key = ").push_bind(key.as_str().to_owned());
    sql.push(" AND key_bytes = ").push_bind(octets(key));
    sql
}

fn octets(key: &ObjectKey) -> u64 {
    u64::try_from(key.as_str().len()).unwrap_or(u64::MAX)
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
        fingerprint: Fingerprint::read(row, 9),
    })
}
