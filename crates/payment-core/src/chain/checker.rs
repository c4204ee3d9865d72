//! Holds the headers of a journal against its objects (promise P11).
//!
//! A [`Checker`] is given the objects in the order of their keys and names what contradicts itself: an object that is
//! missing, was changed or inserted, numbers that nobody explains, two headers that say different things. It is pure,
//! and its memory does not grow with the journal: it keeps the last two minutes of each run, what they leave open, and
//! a few words of each run.
//!
//! Whom to believe is decided from the end of a run to its begin: a header counts if a later one that counts names its
//! object with the same hash, or if none later could. So a forged header in the middle of a run accuses nobody but itself;
//! behind its last object it may accuse others, and is named beside them.

mod fault;
mod object;
mod run;
mod view;

use super::{Header, ObjectHash};
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

pub use self::fault::{Fault, Inserted, OpenRun, Unvouched, What};
use self::object::Name;
pub use self::object::{Content, Sighting};
use self::run::{Claim, Runs};
use self::view::View;
pub use self::view::{Span, Window};

/// Objects between two looks at the runs that have fallen silent.
const ROUND: u64 = 4096;

#[derive(Debug)]
pub struct Checker {
    view: View,
    /// Objects without a header are faults from then on; by default, from the first object with one.
    chain_from: Option<Timestamp>,
    chained_since: Option<Timestamp>,
    unchained_before: u64,
    runs: Runs,
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
    /// Headers that count and confirm the object of [`Checker::ask_for`].
    pub vouchers: Vec<ObjectKey>,
}

impl Checker {
    /// `prefix` is that of all keys.
    pub fn new(prefix: &str, span: Span, chain_from: Option<Timestamp>) -> Self {
        Self {
            view: View::new(prefix, span),
            chain_from,
            chained_since: None,
            unchained_before: 0,
            runs: Runs::default(),
            faults: Vec::new(),
            seen: 0,
        }
    }

    /// Batches had headers by then, before the span.
    pub fn note_chain(&mut self, since: Timestamp) {
        let first = self.chained_since.get_or_insert(since);
        *first = since.min(*first);
    }

    /// Who vouches for this object is to be told at the end.
    pub fn ask_for(&mut self, key: &ObjectKey) {
        self.view.asked = Name::of(key, &self.view.prefix);
    }

    /// An object before the span: the last one of its run there, or one whose number the next object has or names, too.
    pub fn note_before(&mut self, sighting: &Sighting) {
        let name = Name::of(&sighting.key, &self.view.prefix);
        let (Some(name), Content::Header { header, sha256 }) = (name, &sighting.content) else {
            return;
        };
        let run = self.runs.of(name.node, header.run, &self.view);
        if run.note_before(header.seq) {
            self.claim(name, *sha256, header);
        }
    }

    /// Takes the next object in the order of keys. One that is no batch of this system has no place in a chain.
    pub fn see(&mut self, sighting: Sighting) {
        let Sighting { key, content } = sighting;
        if !key.is_own_batch() {
            return;
        }
        let Some(name) = Name::of(&key, &self.view.prefix) else {
            return self.misnamed(key, &content);
        };
        let Some(at) = ObjectKey::time_of(name.uuid) else {
            return;
        };
        if !self.view.span.read.contains(at) {
            return;
        }
        self.view.at = self.view.at.max(name.uuid);
        match content {
            Content::Empty => self.view.note_odd(name),
            Content::Unread => self.view.note_unread(name),
            Content::NoHeader { .. } => {
                self.view.note_odd(name);
                self.unchained(key, Some(at), What::Unchained);
            }
            Content::Header { header, sha256 } => {
                self.chained_since.get_or_insert(at);
                self.claim(name, sha256, &header);
            }
            Content::WrongHeader { .. } => {
                self.view.note_odd(name);
                self.accuse(key, Some(at), What::Inserted(Inserted::Header));
            }
        }
        self.seen += 1;
        if self.seen.is_multiple_of(ROUND) {
            let runs = self.runs.all();
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
        for run in self.runs.all() {
            run.judge(&self.view, true, &mut self.faults);
        }
        let vouchers = self
            .runs
            .all()
            .flat_map(|run| std::mem::take(&mut run.vouchers));
        let prefix = &self.view.prefix;
        Summary {
            vouchers: vouchers.filter_map(|name| name.key(prefix)).collect(),
            faults: self.faults,
            open: self.runs.all().filter_map(|run| run.open()).collect(),
            chained_since: self.chained_since,
            unchained_before: self.unchained_before,
        }
    }

    fn claim(&mut self, name: Name, sha256: ObjectHash, header: &Header) {
        let run = self.runs.of(name.node, header.run, &self.view);
        let claim = Claim::new(name, sha256, header);
        run.see(&self.view, claim, header, &mut self.faults);
    }

    /// A batch whose key is not as tiers make them. Its folder places it in time, if that is one of an hour.
    fn misnamed(&mut self, key: ObjectKey, content: &Content) {
        let at = key.batch_hour();
        let why = What::Inserted(Inserted::Hour);
        match content {
            Content::Unread | Content::Empty => {}
            Content::NoHeader { .. } => self.unchained(key, at, why),
            Content::WrongHeader { .. } | Content::Header { .. } => self.accuse(key, at, why),
        }
    }

    /// A batch without a header.
    fn unchained(&mut self, key: ObjectKey, at: Option<Timestamp>, what: What) {
        let is_fault = match self.chain_from {
            Some(from) => at.is_none_or(|at| from <= at),
            None => self.chained_since.is_some(),
        };
        if is_fault {
            self.accuse(key, at, what);
        } else if self.is_judged(at) {
            self.unchained_before += 1;
        }
    }

    fn is_judged(&self, at: Option<Timestamp>) -> bool {
        at.is_none_or(|at| self.view.span.judged.contains(at))
    }

    fn accuse(&mut self, object: ObjectKey, at: Option<Timestamp>, what: What) {
        if self.is_judged(at) {
            self.faults.push(Fault {
                object,
                run: None,
                seq: None,
                what,
            });
        }
    }
}

#[cfg(test)]
mod tests;
