//! Payments go to `transactions`, whose unique key is the payment id and the client.

use std::collections::HashMap;

use payment_core::PaymentKey;

use super::insert::Table;
use super::plan::Group;
use super::tally::{Holder, Tally};
use crate::backend::Session;
use crate::driver::DriverError;
use crate::error::Error;
use crate::version::VersionColumns;

pub(super) struct Payments<'p> {
    object: VersionColumns<'p>,
    tally: Tally<'p>,
}

impl<'p> Payments<'p> {
    pub fn new(object: VersionColumns<'p>) -> Self {
        Self {
            object,
            tally: Tally::default(),
        }
    }

    pub fn into_tally(self) -> Tally<'p> {
        self.tally
    }

    /// The rows that hold the groups' keys.
    async fn holders(
        &self,
        session: &mut impl Session,
        groups: &[Group<'p>],
    ) -> Result<HashMap<PaymentKey, Holder>, Error> {
        let keys: Vec<_> = groups
            .iter()
            .filter_map(|group| Some(group.first()?.key()))
            .collect();
        let origins = session.origins(&keys).await?;
        let holders = origins.into_iter().map(|origin| {
            let is_own = origin.object_key == self.object.key();
            let holder = Holder {
                content_hash: origin.content_hash,
                own_line: is_own.then_some(origin.object_line),
            };
            (origin.payment, holder)
        });
        Ok(holders.collect())
    }
}

impl<'p> Table for Payments<'p> {
    type Row = Group<'p>;

    const NAME: &'static str = "transactions";

    fn bytes(&self, group: Group<'p>) -> usize {
        group
            .first()
            .map_or(0, |entry| entry.bytes() + self.object.key().len())
    }

    async fn insert(
        &self,
        session: &mut impl Session,
        groups: &[Group<'p>],
    ) -> Result<u64, DriverError> {
        let firsts: Vec<_> = groups.iter().filter_map(|group| group.first()).collect();
        session.insert_payments(self.object, &firsts).await
    }

    fn stored(&mut self, groups: &[Group<'p>]) {
        for group in groups {
            self.tally.stored(group);
        }
    }

    async fn taken(
        &mut self,
        session: &mut impl Session,
        groups: &[Group<'p>],
    ) -> Result<Vec<Group<'p>>, Error> {
        let holders = self.holders(session, groups).await?;
        let mut rest = Vec::new();
        for group in groups {
            match group.first().and_then(|entry| holders.get(entry.key())) {
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
