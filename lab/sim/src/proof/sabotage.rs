//! Somebody with all rights over bucket and database, who deletes, changes, inserts and exchanges objects.

mod forgery;

use std::collections::HashMap;

use bytes::Bytes;
use payment_core::chain::ObjectHash;
use payment_core::chain::checker::Sighting;
use payment_core::object::read_header;
use payment_core::{ObjectKey, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use uuid::Uuid;

use super::{Evidence, fingerprint};

/// What is left after an act, and the objects that it has to be found by.
pub struct Act {
    pub name: &'static str,
    pub evidence: Evidence,
    pub found_by: Vec<ObjectKey>,
}

pub struct Saboteur(StdRng);

impl Saboteur {
    pub fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(!seed))
    }

    /// One act on the journal alone, on any object of the chain; one that leaves no trace in the ledger, on an object
    /// that a header vouches for; and a forged object of the chain, which leaves none either.
    pub fn acts(&mut self, evidence: &Evidence) -> Vec<Act> {
        let headed =
            |(key, body): (&ObjectKey, &Bytes)| read_header(key, body).map(|_| key.clone());
        let all: Vec<_> = evidence.journal.iter().filter_map(headed).collect();
        let vouched_for = vouched_for(evidence);
        let alone = self.act(evidence, &all);
        let mut hidden = self.act(evidence, &vouched_for);
        let mut forged = self.forge(evidence);
        for act in hidden.iter_mut().chain(&mut forged) {
            act.evidence.forge_ledger();
        }
        alone.into_iter().chain(hidden).chain(forged).collect()
    }

    /// `None` if there is no object to act on.
    fn act(&mut self, evidence: &Evidence, objects: &[ObjectKey]) -> Option<Act> {
        let key = objects.get(self.below(objects.len())?)?.clone();
        let other = objects.get(self.below(objects.len())?)?.clone();
        let mut evidence = evidence.clone();
        let journal = &mut evidence.journal;
        let body = journal.get(&key)?.clone();
        let (name, found_by) = match self.below(4)? {
            0 => {
                journal.remove(&key);
                ("the deletion of", vec![key])
            }
            1 => {
                let mut changed = body.to_vec();
                let at = self.below(changed.len())?;
                changed[at] ^= 1;
                journal.insert(key.clone(), changed.into());
                ("the change of", vec![key])
            }
            2 => {
                let copy = self.copied(&key)?;
                journal.insert(copy.clone(), body);
                ("the copy", vec![copy])
            }
            _ if key == other => return None,
            _ => {
                let other_body = journal.insert(other.clone(), body)?;
                journal.insert(key.clone(), other_body);
                ("the exchange of", vec![key, other])
            }
        };
        Some(Act {
            name,
            evidence,
            found_by,
        })
    }

    /// A key of the same node, soon after.
    fn copied(&mut self, key: &ObjectKey) -> Option<ObjectKey> {
        let (unique, node) = key.own_batch()?;
        self.later(unique, node)
    }

    fn later(&mut self, unique: Uuid, node: &str) -> Option<ObjectKey> {
        let millis = ObjectKey::time_of(unique)?.to_utc().unix_timestamp_nanos() / 1_000_000;
        let later = i64::try_from(millis).ok()? + self.0.random_range(1..60_000);
        let at = Timestamp::from_unix_millis(later)?;
        Some(ObjectKey::batch(crate::run::PREFIX, at, unique, node))
    }

    fn below(&mut self, end: usize) -> Option<usize> {
        (end > 0).then(|| self.0.random_range(0..end))
    }
}

impl Evidence {
    /// The ledger says what the journal says.
    fn forge_ledger(&mut self) {
        let entry = |(key, body): (&ObjectKey, &Bytes)| {
            (key.clone(), fingerprint(&Sighting::of(key, body), body))
        };
        self.ledger = self.journal.iter().map(entry).collect();
    }
}

/// The objects that a header in the journal names with their hashes.
fn vouched_for(evidence: &Evidence) -> Vec<ObjectKey> {
    let headers = evidence.journal.iter();
    let headers = headers.filter_map(|(key, body)| read_header(key, body));
    let named: HashMap<_, _> = headers
        .flat_map(|header| {
            let node = header.node;
            let links = header.confirmed.into_iter();
            links.map(move |link| ((link.key, node.to_string()), link.sha256))
        })
        .collect();
    let is_named = |(key, body): &(&ObjectKey, &Bytes)| {
        key.own_batch().is_some_and(|(unique, node)| {
            named.get(&(unique, node.to_owned())) == Some(&ObjectHash::of(body))
        })
    };
    let objects = evidence.journal.iter().filter(is_named);
    objects.map(|(key, _)| key.clone()).collect()
}
