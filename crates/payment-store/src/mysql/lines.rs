//! Tables whose unique key is a line of an object: `rejects`, and `conflicts` when it is looked up.

use std::collections::HashSet;

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use super::columns;
use crate::backend::Reject;
use crate::error::Error;
use crate::list;
use crate::version::VersionColumns;

pub(super) fn insert_rejects(
    object: VersionColumns<'_>,
    rejects: &[&Reject],
) -> QueryBuilder<MySql> {
    let mut sql = QueryBuilder::new(format!("INSERT INTO rejects ({}) ", columns::REJECTS));
    sql.push_values(rejects, |mut row, reject| {
        let payment = reject.payment.as_ref();
        row.push_bind(object.key())
            .push_bind(object.etag())
            .push_bind(reject.line)
            .push_bind(reject.reason)
            .push_bind(reject.detail.as_str())
            .push_bind(reject.is_own)
            .push_bind(payment.map_or("", |key| key.client.as_str()))
            .push_bind(payment.map(|key| key.id.as_str()));
    });
    sql
}

/// Those of the object's lines that the table has.
pub(super) async fn recorded(
    connection: &mut MySqlConnection,
    table: &'static str,
    object: VersionColumns<'_>,
    lines: &[u32],
) -> Result<HashSet<u32>, Error> {
    let mut sql = QueryBuilder::new(format!(
        "SELECT object_line FROM {table} WHERE object_key = "
    ));
    // To the collation, spaces at the end of a key are none.
    sql.push_bind(object.key())
        .push(" AND OCTET_LENGTH(object_key) = ")
        .push_bind(u64::try_from(object.key().len()).unwrap_or(u64::MAX))
        .push(" AND object_etag = ")
        .push_bind(object.etag())
        .push(" AND object_line IN ");
    list::push(&mut sql, lines.iter().copied());
    let recorded: Vec<u32> = sql.build_query_scalar().fetch_all(connection).await?;
    Ok(recorded.into_iter().collect())
}
