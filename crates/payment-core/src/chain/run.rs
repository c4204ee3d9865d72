//! The writing side of a run: numbers its objects, and knows which are still to be named.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::header::{Header, Link, NAMES_MAX, Node, ObjectHash, RunId};
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
    /// Settled, and named by no header that was confirmed or may still be.
    unnamed: BTreeMap<u64, Fate>,
    /// What is unnamed is more than objects without payments.
    is_owing: bool,
}

/// What became of a PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Confirmed { key: Uuid, sha256: ObjectHash },
    Unconfirmed,
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
            is_owing: false,
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
        let rest = self.unnamed.keys().nth(NAMES_MAX).copied();
        let rest = rest.map(|rest| self.unnamed.split_off(&rest));
        for (seq, fate) in std::mem::replace(&mut self.unnamed, rest.unwrap_or_default()) {
            match fate {
                Fate::Confirmed { key, sha256 } => header.confirmed.push(Link { seq, key, sha256 }),
                Fate::Unconfirmed => header.unconfirmed.push(seq),
            }
        }
        self.is_owing &= !self.unnamed.is_empty();
        Sealed {
            header,
            has_payments: purpose == Purpose::Payments,
        }
    }

    /// S3 holds the object, under a key with this UUID and with this hash of its body.
    pub fn confirmed(&mut self, sealed: &Sealed, key: Uuid, sha256: ObjectHash) {
        let fate = Fate::Confirmed { key, sha256 };
        self.unnamed.insert(sealed.header.seq, fate);
        self.is_owing |= sealed.has_payments;
    }

    /// S3 may hold the object or not. What it names is to be named again.
    pub fn unconfirmed(&mut self, sealed: Sealed) {
        let Header {
            seq,
            confirmed,
            unconfirmed,
            ..
        } = sealed.header;
        for Link { seq, key, sha256 } in confirmed {
            self.unnamed.insert(seq, Fate::Confirmed { key, sha256 });
        }
        let lost = unconfirmed.into_iter().chain([seq]);
        self.unnamed
            .extend(lost.map(|seq| (seq, Fate::Unconfirmed)));
        self.is_owing = true;
    }

    /// Whether a [`Purpose::Seal`] would name anything but seals.
    pub fn is_owing(&self) -> bool {
        self.is_owing
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
