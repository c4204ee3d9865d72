//! Objects that no node wrote, with headers that fit as well as can be.

use payment_core::ObjectKey;
use payment_core::chain::{Header, Link, ObjectHash};
use payment_core::object::read_header;

use super::{Act, Saboteur};
use crate::proof::Evidence;
use crate::run::PREFIX;

/// A header of the journal, and the key and the hash of the object that it begins.
struct Headed<'a> {
    key: &'a ObjectKey,
    sha256: ObjectHash,
    header: Header,
}

/// What is put where.
struct Forged {
    name: &'static str,
    key: ObjectKey,
    /// `None` for an object without one.
    header: Option<Header>,
}

impl Saboteur {
    /// `None` if the journal has nothing to build on.
    pub(super) fn forge(&mut self, evidence: &Evidence) -> Option<Act> {
        let headed: Vec<_> = headed(evidence).collect();
        let Forged { name, key, header } = match self.below(3)? {
            0 => self.under_a_failed_put(&headed),
            1 => self.behind_an_end(&headed),
            _ => self.under_a_random_key(&headed),
        }?;
        let mut evidence = evidence.clone();
        let header = header.map_or_else(String::new, |header| header.to_line());
        let body = header + "{\"v\":1}\n";
        evidence.journal.insert(key.clone(), body.into());
        Some(Act {
            name,
            evidence,
            found_by: vec![key],
        })
    }

    /// With the number of a PUT that got no confirmation, under its key or another.
    fn under_a_failed_put(&mut self, headed: &[Headed<'_>]) -> Option<Forged> {
        let failed: Vec<(&Headed<'_>, &Link)> = headed
            .iter()
            .flat_map(|headed| {
                let links = headed.header.unconfirmed.iter();
                links.map(move |link| (headed, link))
            })
            .collect();
        let (by, link) = failed.get(self.below(failed.len())?)?;
        let node = by.header.node;
        let key = if self.below(2)? == 0 {
            link.object_key(PREFIX, node)?
        } else {
            self.later(link.key, &node.to_string())?
        };
        let header = Header {
            seq: link.seq,
            ..naming_none(&by.header)
        };
        Some(Forged {
            name: "the forgery with the number of a failed PUT",
            key,
            header: Some(header),
        })
    }

    /// With the number behind the end of a run, which it names; it may end the run again.
    fn behind_an_end(&mut self, headed: &[Headed<'_>]) -> Option<Forged> {
        let ends: Vec<_> = headed.iter().filter(|headed| headed.header.end).collect();
        let end = ends.get(self.below(ends.len())?)?;
        let (unique, node) = end.key.own_batch()?;
        let link = Link {
            seq: end.header.seq,
            key: unique,
            sha256: end.sha256,
        };
        let header = Header {
            seq: end.header.seq + 1,
            confirmed: vec![link],
            end: self.below(2)? == 0,
            ..naming_none(&end.header)
        };
        Some(Forged {
            name: "the forgery behind the end",
            key: self.later(unique, node)?,
            header: Some(header),
        })
    }

    /// Forges an object in the folder of another, with a UUID that says no time, and perhaps with the object's header.
    fn under_a_random_key(&mut self, headed: &[Headed<'_>]) -> Option<Forged> {
        // In the first hour it may be older than the chain.
        let first = headed.first()?.key.batch_hour();
        let is_later = |headed: &&Headed<'_>| headed.key.batch_hour() > first;
        let later: Vec<_> = headed.iter().filter(is_later).collect();
        let beside = later.get(self.below(later.len())?)?;
        let (folder, _) = beside.key.as_str().rsplit_once('/')?;
        let bytes = rand::RngExt::random(&mut self.0);
        let unique = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let name = format!("{folder}/{unique}-{}.ndjson", beside.header.node);
        Some(Forged {
            name: "the forgery under a random key",
            key: ObjectKey::parse(&name)?,
            header: (self.below(2)? == 0).then(|| beside.header.clone()),
        })
    }
}

fn naming_none(header: &Header) -> Header {
    Header {
        confirmed: Vec::new(),
        unconfirmed: Vec::new(),
        end: false,
        ..*header
    }
}

fn headed(evidence: &Evidence) -> impl Iterator<Item = Headed<'_>> {
    evidence.journal.iter().filter_map(|(key, body)| {
        Some(Headed {
            key,
            sha256: ObjectHash::of(body),
            header: read_header(key, body)?,
        })
    })
}
