//! The tables whose rows name a line of the journal, page by page and version by version.

use std::collections::HashMap;

use payment_core::PaymentKey;
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlConnection, Row as _};

use super::reject::{self, RejectRow};
use super::row::{Rows, Table};
use super::{IS_UNSETTLED_OWN, LedgerEntry, octets, rows_of};
use crate::Store;
use crate::error::Error;

/// Rows of one page: with their columns, and by their origins alone.
const PAGE: u32 = 1000;
const ORIGINS_PAGE: u32 = 5000;

/// Finds a version. The collation ignores spaces at the end of a key: of two that it takes for equal, the length tells.
const OF_VERSION: &str = "object_key = ? AND OCTET_LENGTH(object_key) = ? AND object_etag = ?";

/// A table with a row for lines of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineTable {
    Transactions,
    Conflicts,
    Rejects,
}

/// What the tables have of some lines of a version.
#[derive(Debug)]
pub struct Recorded {
    /// The rows of the lines' payments, whatever lines they name.
    pub rows: Rows,
    pub conflicts: Rows,
    /// By their lines.
    pub rejects: HashMap<u32, RejectRow>,
}

/// Rows of a table that are still to come, by their numbers, up to the last that was there at the start.
#[derive(Debug, Clone)]
pub struct RowSpan {
    /// `None` at the end. A session may give a row the number 0.
    next: Option<u64>,
    last: u64,
}

/// Origin of a row, as the row states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub id: u64,
    /// A reject may have none.
    pub payment_id: Option<String>,
    pub client: String,
    pub key: String,
    /// `transactions` has none: the row may be of any version.
    pub etag: Option<String>,
    pub line: u32,
    /// Whether the ledger knows the object, or the version if the row names one.
    pub is_in_ledger: bool,
    /// An accepted payment was rejected, and no row has its id by now.
    pub is_unsettled_own: bool,
}

/// Rows next to each other that name one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsOfObject {
    pub key: String,
    /// As [`Origin::is_in_ledger`].
    pub is_in_ledger: bool,
    /// Their numbers, rising.
    pub rows: Vec<u64>,
}

impl Origin {
    /// The payment, if the columns name one.
    pub fn payment(&self) -> Option<PaymentKey> {
        PaymentKey::from_stored(self.payment_id.as_deref()?, &self.client)
    }
}

impl RowSpan {
    /// Begins with the first row and ends with this number.
    pub fn until(last: u64) -> Self {
        Self::between(0, last)
    }

    /// From one number to another, both included.
    pub fn between(first: u64, last: u64) -> Self {
        Self {
            next: Some(first),
            last,
        }
    }

    /// The number from which on rows are to come.
    pub fn next(&self) -> Option<u64> {
        self.next
    }

    /// Goes on behind a page that ends with this row.
    fn pass(&mut self, end: Option<u64>) {
        self.next = end.and_then(|id| id.checked_add(1));
    }
}

impl LineTable {
    pub const ALL: [Self; 3] = [Self::Transactions, Self::Conflicts, Self::Rejects];

    pub fn name(self) -> &'static str {
        match self {
            Self::Transactions => "transactions",
            Self::Conflicts => "conflicts",
            Self::Rejects => "rejects",
        }
    }

    /// Condition on a row `t`: the ledger knows the object, or the version if the row names one. Keys are compared by
    /// their bytes as well: to the collation, spaces at the end are none.
    fn is_in_ledger(self) -> String {
        let is_version = match self {
            Self::Transactions => "",
            Self::Conflicts | Self::Rejects => " AND o.object_etag = t.object_etag",
        };
        format!(
            "EXISTS (SELECT 1 FROM ingested_objects o WHERE o.object_key = t.object_key \
             AND CAST(o.object_key AS BINARY) = CAST(t.object_key AS BINARY){is_version})"
        )
    }

    fn origins(self) -> String {
        let (id, etag, is_unsettled_own) = match self {
            Self::Transactions => ("t.payment_id", "NULL", "FALSE"),
            Self::Conflicts => ("t.payment_id", "t.object_etag", "FALSE"),
            Self::Rejects => ("NULL", "t.object_etag", IS_UNSETTLED_OWN),
        };
        let is_in_ledger = self.is_in_ledger();
        self.page(&format!(
            "t.id, {id}, t.object_key, {etag}, t.object_line, {is_in_ledger}, {is_unsettled_own}, t.client"
        ))
    }

    fn objects(self) -> String {
        let is_in_ledger = self.is_in_ledger();
        self.page(&format!("t.id, t.object_key, {is_in_ledger}"))
    }

    fn page(self, columns: &str) -> String {
        format!(
            "SELECT {columns} FROM {} t WHERE t.id BETWEEN ? AND ? ORDER BY t.id LIMIT {ORIGINS_PAGE}",
            self.name()
        )
    }
}

impl Store {
    /// The highest number of a row.
    pub async fn last_row(&self, table: LineTable) -> Result<u64, Error> {
        let sql = format!("SELECT MAX(id) FROM {}", table.name());
        self.ask(async |connection| {
            let last: Option<u64> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(connection)
                .await?;
            Ok(last.unwrap_or(0))
        })
        .await
    }

    /// The next rows of the span, by their origins; none at the end.
    pub async fn origins(
        &self,
        table: LineTable,
        span: &mut RowSpan,
    ) -> Result<Vec<Origin>, Error> {
        let rows = self.page(table.origins(), span).await?;
        let origins: Vec<_> = rows.iter().map(origin).collect::<Result<_, _>>()?;
        span.pass(origins.last().map(|origin| origin.id));
        Ok(origins)
    }

    /// As [`origins`](Self::origins), by the objects that they name alone.
    pub async fn rows_of_objects(
        &self,
        table: LineTable,
        span: &mut RowSpan,
    ) -> Result<Vec<RowsOfObject>, Error> {
        let rows = self.page(table.objects(), span).await?;
        let mut objects: Vec<RowsOfObject> = Vec::new();
        for row in &rows {
            let id = row.try_get(0)?;
            let key = row.try_get::<Option<&str>, _>(1).ok().flatten();
            let key = key.unwrap_or_default();
            let is_in_ledger = row.try_get::<i64, _>(2)? != 0;
            match objects.last_mut() {
                Some(last) if (&*last.key, last.is_in_ledger) == (key, is_in_ledger) => {
                    last.rows.push(id);
                }
                _ => objects.push(RowsOfObject {
                    key: key.to_owned(),
                    is_in_ledger,
                    rows: vec![id],
                }),
            }
        }
        let last = objects.last().and_then(|object| object.rows.last());
        span.pass(last.copied());
        Ok(objects)
    }

    /// As [`origins`](Self::origins), with all columns.
    pub async fn rows_page(&self, table: Table, span: &mut RowSpan) -> Result<Rows, Error> {
        let sql = format!(
            "{} WHERE id BETWEEN ? AND ? ORDER BY id LIMIT {PAGE}",
            table.select()
        );
        let rows = self.page(sql, span).await?;
        // A number that can't be read would begin the same page again.
        let end = rows.last().map(|row| row.try_get(0)).transpose()?;
        span.pass(end);
        Ok(Rows::new(rows))
    }

    async fn page(&self, sql: String, span: &RowSpan) -> Result<Vec<MySqlRow>, Error> {
        let Some(from) = span.next else {
            return Ok(Vec::new());
        };
        self.ask(async |connection| {
            let query = sqlx::query(AssertSqlSafe(sql)).bind(from).bind(span.last);
            Ok(query.fetch_all(connection).await?)
        })
        .await
    }

    /// What the tables have of lines of the version, from one to another, and the rows of their payments. All in one
    /// loan of a connection, which costs a round trip when it ends.
    pub async fn recorded(
        &self,
        payments: &[&PaymentKey],
        entry: &LedgerEntry,
        lines: (u32, u32),
    ) -> Result<Recorded, Error> {
        self.ask(async |connection| {
            Ok(Recorded {
                rows: rows_of(connection, payments).await?,
                conflicts: conflicts_between(connection, entry, lines).await?,
                rejects: rejects_between(connection, entry, lines).await?,
            })
        })
        .await
    }

    /// The conflicts of the version between two of its lines, both included.
    pub async fn conflicts_between(
        &self,
        entry: &LedgerEntry,
        lines: (u32, u32),
    ) -> Result<Rows, Error> {
        self.ask(async |connection| conflicts_between(connection, entry, lines).await)
            .await
    }

    /// The rejects of the version between two of its lines, both included.
    pub async fn rejects_between(
        &self,
        entry: &LedgerEntry,
        lines: (u32, u32),
    ) -> Result<HashMap<u32, RejectRow>, Error> {
        self.ask(async |connection| rejects_between(connection, entry, lines).await)
            .await
    }

    /// The conflicts of the version behind a line, in the order of their lines: the next of them; none at the end.
    pub async fn conflicts_after(
        &self,
        entry: &LedgerEntry,
        line: Option<u32>,
    ) -> Result<Rows, Error> {
        let select = Table::Conflicts.select();
        Ok(Rows::new(self.lines_after(&select, entry, line).await?))
    }

    /// As [`conflicts_after`](Self::conflicts_after), the rejects.
    pub async fn rejects_after(
        &self,
        entry: &LedgerEntry,
        line: Option<u32>,
    ) -> Result<Vec<RejectRow>, Error> {
        let rows = self.lines_after(reject::SELECT, entry, line).await?;
        Ok(rows.iter().map(RejectRow::read).collect())
    }

    async fn lines_after(
        &self,
        select: &str,
        entry: &LedgerEntry,
        line: Option<u32>,
    ) -> Result<Vec<MySqlRow>, Error> {
        let from = match line {
            None => 0,
            Some(u32::MAX) => return Ok(Vec::new()),
            Some(line) => line + 1,
        };
        let sql = format!("{} ORDER BY object_line LIMIT {PAGE}", between(select));
        let lines = (from, u32::MAX);
        self.ask(async |connection| lines_between(connection, sql, entry, lines).await)
            .await
    }
}

async fn conflicts_between(
    connection: &mut MySqlConnection,
    entry: &LedgerEntry,
    lines: (u32, u32),
) -> Result<Rows, Error> {
    let sql = between(&Table::Conflicts.select());
    let rows = lines_between(connection, sql, entry, lines).await?;
    Ok(Rows::new(rows))
}

async fn rejects_between(
    connection: &mut MySqlConnection,
    entry: &LedgerEntry,
    lines: (u32, u32),
) -> Result<HashMap<u32, RejectRow>, Error> {
    let sql = between(reject::SELECT);
    let rows = lines_between(connection, sql, entry, lines).await?;
    let reject = |row: &MySqlRow| {
        let reject = RejectRow::read(row);
        (reject.object_line, reject)
    };
    Ok(rows.iter().map(reject).collect())
}

fn between(select: &str) -> String {
    format!("{select} WHERE {OF_VERSION} AND object_line BETWEEN ? AND ?")
}

async fn lines_between(
    connection: &mut MySqlConnection,
    sql: String,
    entry: &LedgerEntry,
    (first, last): (u32, u32),
) -> Result<Vec<MySqlRow>, Error> {
    let query = sqlx::query(AssertSqlSafe(sql))
        .bind(entry.key.as_str())
        .bind(octets(&entry.key))
        .bind(&entry.stored_etag)
        .bind(first)
        .bind(last);
    Ok(query.fetch_all(connection).await?)
}

fn origin(row: &MySqlRow) -> Result<Origin, Error> {
    let text = |column| row.try_get::<Option<String>, _>(column).ok().flatten();
    Ok(Origin {
        id: row.try_get(0)?,
        payment_id: text(1),
        key: text(2).unwrap_or_default(),
        etag: text(3),
        line: row.try_get(4).unwrap_or_default(),
        is_in_ledger: row.try_get::<i64, _>(5)? != 0,
        is_unsettled_own: row.try_get::<i64, _>(6)? != 0,
        client: text(7).unwrap_or_default(),
    })
}
