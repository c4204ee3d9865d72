//! Whether the tables still take what the function writes: someone may have changed them by hand.

use std::collections::BTreeMap;

use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

use crate::Store;
use crate::error::Error;
use crate::mysql::columns;

/// Columns of the schema, and whether a row must bring a value. The server makes those of a generated column and of a
/// counter itself. One may see those that one may read, and every user of the pipeline reads all of its tables.
const COLUMNS: &str = "SELECT table_name, column_name, \
    is_nullable = 'NO' AND column_default IS NULL AND extra NOT LIKE '%auto_increment%' AND extra NOT LIKE '%GENERATED%' \
    FROM information_schema.columns WHERE table_schema = DATABASE()";

/// A column that makes the database refuse what the function writes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum WrongColumn {
    #[error("{table}.{column} is missing")]
    Missing {
        table: &'static str,
        column: &'static str,
    },
    #[error("{table}.{column} must have a value, and the function has none for it")]
    Added { table: &'static str, column: String },
}

impl Store {
    /// The columns that make an insert of the function fail.
    pub async fn wrong_columns(&self) -> Result<Vec<WrongColumn>, Error> {
        let rows = self
            .ask(async |connection| Ok(sqlx::query(COLUMNS).fetch_all(connection).await?))
            .await?;
        let mut tables: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
        for row in &rows {
            let (table, column, needs_value) = column(row)?;
            tables.entry(table).or_default().insert(column, needs_value);
        }
        let mut wrong = Vec::new();
        for (table, written) in columns::WRITTEN {
            let mut there = tables.remove(table).unwrap_or_default();
            for column in written.split(", ") {
                if there.remove(column).is_none() {
                    wrong.push(WrongColumn::Missing { table, column });
                }
            }
            let added = there.into_iter().filter(|(_, needs_value)| *needs_value);
            wrong.extend(added.map(|(column, _)| WrongColumn::Added { table, column }));
        }
        Ok(wrong)
    }
}

fn column(row: &MySqlRow) -> Result<(String, String, bool), Error> {
    let needs_value: i64 = row.try_get(2)?;
    Ok((row.try_get(0)?, row.try_get(1)?, needs_value != 0))
}
