//! Payments go to `transactions`, whose unique key is the payment id.

use std::collections::HashMap;

use payment_core::{ContentHash, PaymentId};
use sqlx::mysql::MySqlRow;
use sqlx::{MySql, MySqlConnection, QueryBuilder, Row};

use super::content;
use super::insert::Table;
use super::plan::Group;
use super::tally::{Holder, Tally};
use crate::driver::DriverError;
use crate::error::Error;
use crate::key::KeyColumn;
use crate::list;

pub(super) struct Payments<'p> {
    key: KeyColumn<'p>,
    tally: Tally<'p>,
}

impl<'p> Payments<'p> {
    pub fn new(key: KeyColumn<'p>) -> Self {
        Self {
            key,
            tally: Tally::default(),
        }
    }

    pub fn into_tally(self) -> Tally<'p> {
        self.tally
    }
}

impl<'p> Table for Payments<'p> {
    type Row = Group<'p>;

    const NAME: &'static str = "transactions";

    fn bytes(&self, group: Group<'p>) -> usize {
        group
            .first()
            .map_or(0, |entry| entry.bytes() + self.key.as_str().len())
    }

    fn statement(&self, groups: &[Group<'p>]) -> QueryBuilder<MySql> {
        let firsts = groups.iter().filter_map(|group| group.first());
        content::insert_statement(Self::NAME, self.key, firsts)
    }

    fn stored(&mut self, groups: &[Group<'p>]) {
        for group in groups {
            self.tally.stored(group);
        }
    }

    async fn taken(
        &mut self,
        connection: &mut MySqlConnection,
        groups: &[Group<'p>],
    ) -> Result<Vec<Group<'p>>, Error> {
        let ids = groups.iter().filter_map(|group| Some(group.first()?.id()));
        let holders = holders(connection, self.key, ids).await?;
        let mut rest = Vec::new();
        for group in groups {
            match group
                .first()
                .and_then(|entry| holders.get(entry.id().as_str()))
            {
                Some(holder) => self.tally.held(group, *holder),
                None => rest.push(*group),
            }
        }
        Ok(rest)
    }

    fn refused(
        &mut self,
        group: Group<'p>,
        error: DriverError,
    ) -> Result<Option<Group<'p>>, Error> {
        Ok(self.tally.refused(group, &error))
    }
}

/// The rows that hold the ids. No lock is needed: a row that is there stays as it is.
async fn holders(
    connection: &mut MySqlConnection,
    key: KeyColumn<'_>,
    ids: impl Iterator<Item = &PaymentId>,
) -> Result<HashMap<String, Holder>, Error> {
    let mut sql = QueryBuilder::new(
        "SELECT payment_id, content_hash, object_key, object_line FROM transactions WHERE payment_id IN ",
    );
    list::push(&mut sql, ids.map(PaymentId::as_str));
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| holder(row, key)).collect()
}

fn holder(row: &MySqlRow, key: KeyColumn<'_>) -> Result<(String, Holder), Error> {
    let hash: &[u8] = row.try_get("content_hash")?;
    let object_key: &str = row.try_get("object_key")?;
    let line: u32 = row.try_get("object_line")?;
    let holder = Holder {
        content_hash: ContentHash::from_bytes(hash).ok_or(Error::Unreadable {
            column: "content_hash",
        })?,
        own_line: (object_key == key.as_str()).then_some(line),
    };
    Ok((row.try_get("payment_id")?, holder))
}
