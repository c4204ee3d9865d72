//! Holds the headers of a journal against its objects (promise P11).
//!
//! A [`Checker`] is given the objects in the order of their keys and names what contradicts itself: an object that is
//! missing, was changed or inserted, numbers that nobody explains, two headers that say different things. It is pure,
//! and its memory does not grow with the journal: it keeps the last two minutes of each run, what they leave open, and
//! a few words of each run.
//!
//! Whom to believe is decided from the end of a run to its begin: a header counts if a later one that counts names its
//! object with the same hash, or if none later could. So a forged header accuses nobody but itself.

mod fault;
mod object;
mod run;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use super::{Header, Node, ObjectHash};
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

pub use self::fault::{Fault, Inserted, OpenRun, What};
use self::object::Name;
pub use self::object::{Content, Sighting};
use self::run::{Claim, Run};
use self::view::View;
pub use self::view::{Span, Window};

/// Objects without a right header that are remembered, to tell a changed object from a missing one.
const ODD_MAX: usize = 10_000;

/// Objects between two looks at the runs that have fallen silent.
const ROUND: u64 = 4096;

#[derive(Debug)]
pub struct Checker {
    view: View,
    /// Objects without a header are faults from then on; by default, from the first object with one.
    chain_from: Option<Timestamp>,
    chained_since: Option<Timestamp>,
    unchained_before: u64,
    /// By their nodes: a process has one run.
    runs: BTreeMap<Node, Run>,
    open: Vec<OpenRun>,
    faults: Vec<Fault>,
    seen: u64,
}

/// What is left when all objects were seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub faults: Vec<Fault>,
    /// Runs without an end that have objects in the span.
    pub open: Vec<OpenRun>,
    /// When the first object with a header was received.
    pub chained_since: Option<Timestamp>,
    /// Batches without a header, from before there was a chain.
    pub unchained_before: u64,
}

impl Checker {
    /// `prefix` is that of all keys.
    pub fn new(prefix: &str, span: Span, chain_from: Option<Timestamp>) -> Self {
        Self {
            view: View::new(prefix, span),
            chain_from,
            chained_since: None,
            unchained_before: 0,
            runs: BTreeMap::new(),
            open: Vec::new(),
            faults: Vec::new(),
            seen: 0,
        }
    }

    /// Takes the next object in the order of keys. One that is no batch of this system has no place in a chain.
    pub fn see(&mut self, sighting: Sighting) {
        let Some((uuid, _)) = sighting.key.own_batch() else {
            return;
        };
        let Some(at) = ObjectKey::time_of(uuid).filter(|at| self.view.span.read.contains(*at))
        else {
            return;
        };
        let name = Name::of(&sighting.key);
        let is_in_its_hour =
            name.and_then(|name| name.key(&self.view.prefix)) == Some(sighting.key.clone());
        self.view.at = self.view.at.max(uuid);
        match (sighting.content, name) {
            (Content::Empty, name) => self.note_odd(name),
            (Content::Unread, Some(name)) => self.view.note_unread(name),
            (Content::Unread, None) => {}
            (Content::NoHeader { .. }, name) => {
                self.note_odd(name);
                self.unchained(sighting.key, at);
            }
            (Content::Header { header, sha256 }, Some(name)) if is_in_its_hour => {
                self.chained_since.get_or_insert(at);
                self.claim(name, sha256, &header);
            }
            (Content::Header { .. }, name) => {
                self.note_odd(name);
                self.inserted(sighting.key, at, Inserted::Hour);
            }
            (Content::WrongHeader { .. }, name) => {
                self.note_odd(name);
                self.inserted(sighting.key, at, Inserted::Header);
            }
        }
        self.seen += 1;
        if self.seen.is_multiple_of(ROUND) {
            let runs = self.runs.values_mut();
            for run in runs.filter(|run| run.is_silent(&self.view)) {
                run.judge(&self.view, false, &mut self.faults);
            }
        }
    }

    /// The faults that are certain by now.
    pub fn take(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// All objects of the span were seen.
    pub fn finish(mut self) -> Summary {
        for run in self.runs.values_mut() {
            run.judge(&self.view, true, &mut self.faults);
            self.open.extend(run.open());
        }
        Summary {
            faults: self.faults,
            open: self.open,
            chained_since: self.chained_since,
            unchained_before: self.unchained_before,
        }
    }

    fn claim(&mut self, name: Name, sha256: ObjectHash, header: &Header) {
        let run = self.runs.entry(name.node);
        let run = run.or_insert_with(|| Run::new(header.run, name.node));
        // Among very many processes, two have one name.
        if run.is_over_before(header.run, &self.view) {
            run.judge(&self.view, true, &mut self.faults);
            self.open.extend(run.open());
            *run = Run::new(header.run, name.node);
        }
        let claim = Claim::new(name, sha256, header);
        run.see(&self.view, claim, header, &mut self.faults);
    }

    fn unchained(&mut self, key: ObjectKey, at: Timestamp) {
        let is_fault = match self.chain_from {
            Some(from) => from <= at,
            None => self.chained_since.is_some(),
        };
        if !self.view.span.judged.contains(at) {
            return;
        }
        if is_fault {
            self.faults.push(Fault {
                object: key,
                run: None,
                seq: None,
                what: What::Unchained,
            });
        } else {
            self.unchained_before += 1;
        }
    }

    fn inserted(&mut self, key: ObjectKey, at: Timestamp, why: Inserted) {
        if self.view.span.judged.contains(at) {
            self.faults.push(Fault {
                object: key,
                run: None,
                seq: None,
                what: What::Inserted(why),
            });
        }
    }

    fn note_odd(&mut self, name: Option<Name>) {
        note(&mut self.view.odd, name);
    }
}

/// Keeps the newest names.
fn note(names: &mut BTreeSet<Name>, name: Option<Name>) {
    names.extend(name);
    if names.len() > ODD_MAX {
        names.pop_first();
    }
}

#[cfg(test)]
mod tests;
