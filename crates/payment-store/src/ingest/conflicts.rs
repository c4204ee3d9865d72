//! Lines whose payment id is held by other content go to `conflicts`, whose unique key is the line.

use sqlx::{MySql, MySqlConnection, QueryBuilder};

use super::insert::Table;
use super::plan::Entry;
use super::rejects::Reject;
use super::{content, rejects};
use crate::driver::DriverError;
use crate::error::Error;
use crate::key::KeyColumn;

pub(super) struct Conflicts<'p> {
    key: KeyColumn<'p>,
    refused: Vec<Reject>,
}

impl<'p> Conflicts<'p> {
    pub fn new(key: KeyColumn<'p>) -> Self {
        Self {
            key,
            refused: Vec::new(),
        }
    }

    pub fn into_refused(self) -> Vec<Reject> {
        self.refused
    }
}

impl<'p> Table for Conflicts<'p> {
    type Row = &'p Entry<'p>;

    const NAME: &'static str = "conflicts";

    fn bytes(&self, entry: &'p Entry<'p>) -> usize {
        entry.bytes() + self.key.as_str().len()
    }

    fn statement(&self, entries: &[&'p Entry<'p>]) -> QueryBuilder<MySql> {
        content::insert_statement(Self::NAME, self.key, entries.iter().copied())
    }

    fn stored(&mut self, _: &[&'p Entry<'p>]) {}

    async fn taken(
        &mut self,
        connection: &mut MySqlConnection,
        entries: &[&'p Entry<'p>],
    ) -> Result<Vec<&'p Entry<'p>>, Error> {
        let lines = entries.iter().map(|entry| entry.line);
        let recorded = rejects::recorded_lines(connection, Self::NAME, self.key, lines).await?;
        Ok(entries
            .iter()
            .copied()
            .filter(|entry| !recorded.contains(&entry.line))
            .collect())
    }

    fn refused(
        &mut self,
        entry: &'p Entry<'p>,
        error: DriverError,
    ) -> Result<Option<&'p Entry<'p>>, Error> {
        self.refused.push(Reject::refused(entry.line, &error));
        Ok(None)
    }
}
