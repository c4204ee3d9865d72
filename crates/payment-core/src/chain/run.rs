//! The writing side of a run: numbers its objects, and knows which are still to be named.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::header::{Header, Link, NAMES_MAX};
use super::ids::{Node, ObjectHash, RunId};
use crate::timestamp::Timestamp;

/// A run of a process that writes batches.
///
/// Each object is sealed once, and then settled once: S3 confirmed it, or did not.
#[derive(Debug)]
pub struct Run {
    id: RunId,
    node: Node,
    /// Number of the next object.
    next: u64,
    /// Settled, and named by no header that S3 confirmed.
    unnamed: BTreeMap<u64, Unnamed>,
}

#[derive(Debug, Clone, Copy)]
struct Unnamed {
    link: Link,
    has_payments: bool,
    is_confirmed: bool,
}

/// An object's header, until it is settled whether S3 holds the object.
#[derive(Debug)]
#[must_use = "an object that is never settled is never named"]
pub struct Sealed {
    header: Header,
    has_payments: bool,
}

/// What an object is put for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Payments,
    /// Names what nothing else would name soon.
    Seal,
    /// The same, and ends the run.
    End,
}

impl Run {
    pub fn new(id: RunId, node: Node) -> Self {
        Self {
            id,
            node,
            next: 0,
            unnamed: BTreeMap::new(),
        }
    }

    /// The next object's header, which names the oldest of what is unnamed.
    pub fn seal(&mut self, purpose: Purpose, clock: Timestamp) -> Sealed {
        let mut header = Header {
            run: self.id,
            node: self.node,
            seq: self.next,
            clock,
            confirmed: Vec::new(),
            unconfirmed: Vec::new(),
            end: purpose == Purpose::End,
        };
        self.next += 1;
        for unnamed in self.unnamed.values().take(NAMES_MAX) {
            let list = if unnamed.is_confirmed {
                &mut header.confirmed
            } else {
                &mut header.unconfirmed
            };
            list.push(unnamed.link);
        }
        Sealed {
            header,
            has_payments: purpose == Purpose::Payments,
        }
    }

    /// S3 holds the object, under a key with this UUID and with this hash of its body.
    pub fn confirmed(&mut self, sealed: Sealed, key: Uuid, sha256: ObjectHash) {
        self.settle(sealed, key, sha256, true);
    }

    /// S3 may hold the object, which was to have this key and hash, or not. What it names is named again.
    pub fn unconfirmed(&mut self, sealed: Sealed, key: Uuid, sha256: ObjectHash) {
        self.settle(sealed, key, sha256, false);
    }

    fn settle(&mut self, sealed: Sealed, key: Uuid, sha256: ObjectHash, is_confirmed: bool) {
        let Sealed {
            header,
            has_payments,
        } = sealed;
        if is_confirmed {
            for link in header.confirmed.into_iter().chain(header.unconfirmed) {
                self.unnamed.remove(&link.seq);
            }
        }
        let seq = header.seq;
        let unnamed = Unnamed {
            link: Link { seq, key, sha256 },
            has_payments,
            is_confirmed,
        };
        self.unnamed.insert(seq, unnamed);
    }

    /// Whether a [`Purpose::Seal`] would name anything but seals.
    pub fn is_owing(&self) -> bool {
        self.unnamed.values().any(|unnamed| unnamed.has_payments)
    }

    /// Whether the run has an object that an end would name: a process that wrote nothing leaves no run.
    pub fn has_begun(&self) -> bool {
        self.next > 0
    }

    /// Whether one more header names all that is unnamed.
    pub fn fits_one_header(&self) -> bool {
        self.unnamed.len() <= NAMES_MAX
    }

    /// Size of the next header, in bytes, at the most.
    pub fn header_bytes(&self) -> usize {
        Header::bytes_max(self.unnamed.len().min(NAMES_MAX))
    }
}

impl Sealed {
    pub fn header(&self) -> &Header {
        &self.header
    }
}

#[cfg(test)]
mod tests;
