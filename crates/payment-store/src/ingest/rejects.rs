//! Lines that are no payment go to `rejects`, whose unique key is the line.

use std::collections::HashSet;

use payment_core::RecordError;
use sqlx::{MySql, MySqlConnection, QueryBuilder};

use super::insert::Table;
use crate::driver::DriverError;
use crate::error::Error;
use crate::key::KeyColumn;
use crate::list;

/// Characters in `detail`.
const DETAIL_CHARS_MAX: usize = 255;

/// Why a line is no row. Nothing in it comes from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reject {
    pub line: u32,
    /// A stable word.
    pub reason: &'static str,
    detail: String,
}

impl Reject {
    pub fn unreadable(line: u32, error: &RecordError) -> Self {
        Self::new(line, error.reason(), &error.to_string())
    }

    pub fn too_large(line: u32) -> Self {
        Self::new(line, "too_large", "the record does not fit one statement")
    }

    pub fn refused(line: u32, error: &DriverError) -> Self {
        Self::new(line, "refused_by_database", &error.to_string())
    }

    fn new(line: u32, reason: &'static str, detail: &str) -> Self {
        let detail = detail.chars().take(DETAIL_CHARS_MAX).collect();
        Self {
            line,
            reason,
            detail,
        }
    }
}

pub(super) struct Rejects<'p> {
    key: KeyColumn<'p>,
}

impl<'p> Rejects<'p> {
    pub fn new(key: KeyColumn<'p>) -> Self {
        Self { key }
    }
}

impl<'p> Table for Rejects<'p> {
    type Row = &'p Reject;

    const NAME: &'static str = "rejects";

    fn bytes(&self, reject: &'p Reject) -> usize {
        self.key.as_str().len() + reject.reason.len() + reject.detail.len()
    }

    fn statement(&self, rejects: &[&'p Reject]) -> QueryBuilder<MySql> {
        let mut sql =
            QueryBuilder::new("INSERT INTO rejects (object_key, object_line, reason, detail) ");
        sql.push_values(rejects, |mut row, reject| {
            row.push_bind(self.key.as_str())
                .push_bind(reject.line)
                .push_bind(reject.reason)
                .push_bind(reject.detail.as_str());
        });
        sql
    }

    fn stored(&mut self, _: &[&'p Reject]) {}

    async fn taken(
        &mut self,
        connection: &mut MySqlConnection,
        rejects: &[&'p Reject],
    ) -> Result<Vec<&'p Reject>, Error> {
        let lines = rejects.iter().map(|reject| reject.line);
        let recorded = recorded_lines(connection, Self::NAME, self.key, lines).await?;
        Ok(rejects
            .iter()
            .copied()
            .filter(|reject| !recorded.contains(&reject.line))
            .collect())
    }

    fn refused(&mut self, _: &'p Reject, error: DriverError) -> Result<Option<&'p Reject>, Error> {
        Err(error.into())
    }
}

/// Those of the object's lines that the table has.
pub(super) async fn recorded_lines(
    connection: &mut MySqlConnection,
    table: &'static str,
    key: KeyColumn<'_>,
    lines: impl Iterator<Item = u32>,
) -> Result<HashSet<u32>, Error> {
    let mut sql = QueryBuilder::new(format!(
        "SELECT object_line FROM {table} WHERE object_key = "
    ));
    sql.push_bind(key.as_str()).push(" AND object_line IN ");
    list::push(&mut sql, lines);
    let recorded: Vec<u32> = sql.build_query_scalar().fetch_all(connection).await?;
    Ok(recorded.into_iter().collect())
}
