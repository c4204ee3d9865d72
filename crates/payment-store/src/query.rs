//! Statements of a person, who may only read.
//!
//! Values come as the server writes them: no number is rounded on the way.

use std::sync::Arc;

use futures::TryStreamExt as _;
use sqlx::mysql::{MySqlColumn, MySqlRow};
use sqlx::{
    AssertSqlSafe, Column as _, Executor as _, MySql, MySqlConnection, Row as _, SqlSafeStr as _,
    Statement as _, Type, TypeInfo as _,
};

use crate::connect::{LoginSource, Pool};
use crate::driver::{DriverError, ErrorKind};
use crate::error::Error;
use crate::lease::Lease;

/// What a statement may begin with.
const READING: [&str; 8] = [
    "SELECT", "WITH", "TABLE", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN",
];

/// What no statement may contain, not even in a string. Servers execute what stands in these comments, and no
/// transaction keeps a statement from writing a file.
const NOT_READING: [&str; 4] = ["/*!", "/*M!", "OUTFILE", "DUMPFILE"];

/// The transaction is read-only whatever the statement sets, and so is what would follow it. It is never committed.
const READ_ONLY: [&str; 2] = [
    "SET SESSION TRANSACTION READ ONLY",
    "START TRANSACTION READ ONLY",
];

/// What a cell takes besides its bytes.
const CELL_BYTES: usize = size_of::<Cell>();

/// The statement writes.
const IN_READ_ONLY_TRANSACTION: u16 = 1792;

/// Answers statements that read. A connection that was lost is replaced at the next one.
#[derive(Debug, Clone)]
pub struct Reader {
    pool: Pool,
}

/// The rows of an answer.
#[derive(Debug)]
pub struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// There are more rows, which would take more memory than was allowed.
    pub is_cut: bool,
}

/// A column of an answer.
#[derive(Debug)]
pub struct Column {
    pub name: String,
    pub is_number: bool,
    is_binary: bool,
}

/// A value of an answer, as text.
#[derive(Debug, PartialEq, Eq)]
pub enum Cell {
    Null,
    Text(String),
    /// Not text, by its type or by its content.
    Bytes(Vec<u8>),
}

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    #[error(
        "only statements that read are taken: {}; without {}",
        READING.join(", "),
        NOT_READING.join(", ")
    )]
    NotReading,
    #[error("the database refused the statement")]
    Refused(#[source] DriverError),
    #[error(transparent)]
    Database(#[from] Error),
}

impl Reader {
    pub fn new(logins: Arc<dyn LoginSource>) -> Self {
        Self {
            pool: Pool::new(logins, 1),
        }
    }

    /// Answers one statement with as many of its rows as fit into `bytes_max`.
    pub async fn read(&self, statement: &str, bytes_max: usize) -> Result<Table, QueryError> {
        let statement = reading(statement).ok_or(QueryError::NotReading)?;
        let mut lease = Lease::take(&self.pool).await.map_err(Error::from)?;
        let connection = lease.connection().map_err(Error::from)?;
        let table = read(connection, statement, bytes_max).await?;
        // Else the rest of the rows is still on its way: the connection is closed.
        if !table.is_cut {
            let connection = lease.connection().map_err(Error::from)?;
            connection.execute("ROLLBACK").await.map_err(Error::from)?;
            lease.give_back();
        }
        Ok(table)
    }
}

async fn read(
    connection: &mut MySqlConnection,
    statement: &str,
    bytes_max: usize,
) -> Result<Table, QueryError> {
    for read_only in READ_ONLY {
        connection.execute(read_only).await.map_err(Error::from)?;
    }
    // Servers prepare one statement: of several none is run.
    let statement = AssertSqlSafe(statement.to_owned()).into_sql_str();
    let prepared = connection.prepare(statement.clone()).await;
    let mut table = Table {
        columns: columns(prepared.map_err(refused)?.columns()),
        rows: Vec::new(),
        is_cut: false,
    };
    let mut bytes = 0;
    let mut rows = sqlx::raw_sql(statement).fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(refused)? {
        if table.rows.is_empty() {
            table.columns = columns(row.columns());
        }
        let cells = cells(&table.columns, &row)?;
        bytes += cells.iter().map(Cell::bytes).sum::<usize>();
        if bytes > bytes_max {
            table.is_cut = true;
            break;
        }
        table.rows.push(cells);
    }
    Ok(table)
}

fn columns(columns: &[MySqlColumn]) -> Vec<Column> {
    let column = |column: &MySqlColumn| {
        let kind = column.type_info().name();
        let is_raw = kind.ends_with("BINARY") || kind.ends_with("BLOB");
        let is_text = <str as Type<MySql>>::compatible(column.type_info());
        Column {
            name: column.name().to_owned(),
            is_number: ["INT", "UNSIGNED", "DECIMAL", "FLOAT", "DOUBLE", "BOOLEAN"]
                .iter()
                .any(|end| kind.ends_with(end)),
            is_binary: matches!(kind, "BIT" | "GEOMETRY") || is_raw && !is_text,
        }
    };
    columns.iter().map(column).collect()
}

fn cells(columns: &[Column], row: &MySqlRow) -> Result<Vec<Cell>, Error> {
    let cell = |(index, column): (usize, &Column)| {
        let Some(bytes) = row.try_get_unchecked::<Option<&[u8]>, _>(index)? else {
            return Ok(Cell::Null);
        };
        Ok(match std::str::from_utf8(bytes) {
            Ok(text) if !column.is_binary => Cell::Text(text.to_owned()),
            _ => Cell::Bytes(bytes.to_owned()),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

impl Cell {
    fn bytes(&self) -> usize {
        let held = match self {
            Self::Null => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        CELL_BYTES + held
    }
}

fn refused(error: sqlx::Error) -> QueryError {
    let said = DriverError::in_full(error);
    match said.kind() {
        // Not a server that turned read-only: the session is, by intent.
        _ if said.is_one_of(&[IN_READ_ONLY_TRANSACTION]) => QueryError::Refused(said),
        ErrorKind::KeyTaken | ErrorKind::DataRefused | ErrorKind::Lasting => {
            QueryError::Refused(said)
        }
        ErrorKind::Transient | ErrorKind::Untrusted(_) | ErrorKind::NoLogin => {
            Error::from(said).into()
        }
    }
}

/// The statement without what ends it, if it begins as one that reads. The transaction refuses what only looks like one.
fn reading(statement: &str) -> Option<&str> {
    let statement = statement.trim_end_matches(|c: char| c.is_whitespace() || c == ';');
    let capitals = statement.to_ascii_uppercase();
    if NOT_READING.iter().any(|part| capitals.contains(part)) {
        return None;
    }
    let begin = after_comments(statement)?;
    let begin = begin.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = begin.find(|c: char| !c.is_ascii_alphabetic());
    let word = &begin[..end.unwrap_or(begin.len())];
    let reads = READING.iter().any(|known| word.eq_ignore_ascii_case(known));
    reads.then_some(statement)
}

/// Without the comments at its begin; `None` if one of them has no end.
fn after_comments(statement: &str) -> Option<&str> {
    let statement = statement.trim_start();
    let is_line = statement.starts_with('#')
        || statement
            .strip_prefix("--")
            .is_some_and(|comment| comment.starts_with(char::is_whitespace));
    let (comment, end) = if is_line {
        (statement, "\n")
    } else if let Some(comment) = statement.strip_prefix("/*") {
        (comment, "*/")
    } else {
        return Some(statement);
    };
    after_comments(comment.split_once(end)?.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_statements_that_read_are_taken() {
        for (statement, taken) in [
            ("SELECT 1", Some("SELECT 1")),
            (" select\n1 ;\n; ", Some(" select\n1")),
            (
                "(SELECT 1) UNION (SELECT 2)",
                Some("(SELECT 1) UNION (SELECT 2)"),
            ),
            (
                "-- why\n/* a */ SHOW TABLES",
                Some("-- why\n/* a */ SHOW TABLES"),
            ),
            ("EXPLAIN SELECT 1", Some("EXPLAIN SELECT 1")),
            ("/*!80030 SET @x = 1 */", None),
            ("/* a */ /*M! DELETE FROM t */ SELECT 1", None),
            ("SELECT 1 /*m!100100 INTO @x */", None),
            ("/*/ SELECT 1 */ DELETE FROM t", None),
            ("/**/ SELECT 1", Some("/**/ SELECT 1")),
            ("/*/ SELECT */ SELECT 1", Some("/*/ SELECT */ SELECT 1")),
            ("--\nDELETE FROM t", None),
            ("--1 SELECT 1", None),
            ("SELECT 1 INTO OutFile '/tmp/x'", None),
            ("SELECT 1 INTO DUMPFILE '/tmp/x'", None),
            ("BEGIN NOT ATOMIC SELECT 1; END", None),
            ("SET STATEMENT tx_read_only = 0 FOR SELECT 1", None),
            ("SELECTED", None),
            ("SET SESSION TRANSACTION READ WRITE", None),
            ("DELETE FROM transactions", None),
            ("-- SELECT", None),
            ("/* SELECT", None),
            (";", None),
            ("", None),
        ] {
            assert_eq!(reading(statement), taken, "{statement}");
        }
    }
}
