//! Lines whose payment id is held by other content go to `conflicts`, whose unique key is the line.

use super::insert::Table;
use super::plan::Entry;
use super::rejects::Reject;
use crate::backend::Session;
use crate::driver::DriverError;
use crate::error::Error;
use crate::version::VersionColumns;

pub(super) struct Conflicts<'p> {
    object: VersionColumns<'p>,
    refused: Vec<Reject>,
}

impl<'p> Conflicts<'p> {
    pub fn new(object: VersionColumns<'p>) -> Self {
        Self {
            object,
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
        entry.bytes() + self.object.key().len()
    }

    async fn insert(
        &self,
        session: &mut impl Session,
        entries: &[&'p Entry<'p>],
    ) -> Result<u64, DriverError> {
        session.insert_conflicts(self.object, entries).await
    }

    fn stored(&mut self, _: &[&'p Entry<'p>]) {}

    async fn taken(
        &mut self,
        session: &mut impl Session,
        entries: &[&'p Entry<'p>],
    ) -> Result<Vec<&'p Entry<'p>>, Error> {
        let lines: Vec<_> = entries.iter().map(|entry| entry.line).collect();
        let recorded = session.conflict_lines(self.object, &lines).await?;
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
        self.refused.push(Reject::refused(entry, &error));
        Ok(None)
    }
}
