//! The objects of a walk, for the checker of the chain. They are read several at a time, and given to it in the order
//! of their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use payment_core::chain::checker::{Checker, Sighting, Span, Summary};
use payment_core::chain::{Header, ObjectHash};
use payment_core::{ObjectKey, Timestamp};
use payment_store::Store;
use serde::Serialize;

use super::accuser::Accuser;
use super::before::{Before, Known, Number};
use super::checkpoint::Open;
use super::hours::{Hour, Hours, RowDigest};
use crate::audit::difference::Findings;
use crate::journal::Journal;
use crate::journal_scan::Step;
use crate::output;

/// How often the ledger is asked for numbers: each time it is read as a whole.
const QUERIES_MAX: usize = 100;

/// Runs without an end that a person is shown.
const RUNS_SHOWN_MAX: usize = 100;

/// An object as it was read.
#[derive(Debug)]
pub struct Sight {
    pub sighting: Sighting,
    /// `None` if it is outside the range, and seen for what it says of others.
    pub inside: Option<Inside>,
}

/// What an hour's digest has of an object besides its key and its hash.
#[derive(Debug)]
pub struct Inside {
    pub stored_at: Timestamp,
    pub rows: RowDigest,
}

/// The chain of a walk at work.
#[derive(Debug)]
pub struct Proof {
    prefix: String,
    checker: Checker,
    before: Before,
    accuser: Accuser,
    hours: Hours,
    /// Keys of objects that are being read.
    at_work: BTreeSet<ObjectKey>,
    /// Objects behind one that is at work.
    waiting: BTreeMap<ObjectKey, Sight>,
    /// Numbers of objects of the range that the ledger was asked for.
    asked: BTreeSet<Number>,
    queries: usize,
}

/// What the chain says of a range.
#[derive(Debug, Serialize)]
pub struct Proven {
    /// Runs without an end: they go on, or their process died.
    pub open_runs: u64,
    /// Objects that no header names yet: ledger and rows alone vouch for them.
    pub open_objects: u64,
    /// When the first object with a header was received.
    pub chained_since: Option<String>,
    /// Batches without a header, from before there was a chain.
    pub before_the_chain: u64,
    /// What is known of these runs: an operator can tell a crash from an end that somebody cut off.
    pub runs_without_end: Vec<Open>,
    #[serde(skip)]
    pub hours: Vec<Hour>,
}

impl Inside {
    /// An object that is not ingested.
    pub fn without_rows(stored_at: Timestamp) -> Self {
        Self {
            stored_at,
            rows: RowDigest::default(),
        }
    }
}

impl Sight {
    pub fn unread(key: &ObjectKey) -> Self {
        Self {
            sighting: Sighting::unread(key),
            inside: None,
        }
    }
}

impl Proof {
    pub fn new(prefix: &str, span: Span, chain_from: Option<Timestamp>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            checker: Checker::new(prefix, span, chain_from),
            before: Before::new(prefix, span.read.from, chain_from.is_some()),
            accuser: Accuser::default(),
            hours: Hours::default(),
            at_work: BTreeSet::new(),
            waiting: BTreeMap::new(),
            asked: BTreeSet::new(),
            queries: 0,
        }
    }

    /// How many objects wait for one before them.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Reading of the step's object begins. Called for each step, in the order of keys. What can't be known is said.
    pub async fn begin(&mut self, log: &Journal, step: &Step) -> Vec<String> {
        let known = self.before.pass(log, step).await;
        let unknown = self.note(known);
        if step.key.as_str().starts_with(&self.prefix) {
            self.at_work.insert(step.key.clone());
        }
        unknown
    }

    /// What was read of it, if it was there. What can't be known is said.
    pub async fn end(
        &mut self,
        log: &Journal,
        store: &Store,
        key: &ObjectKey,
        sight: Option<Sight>,
    ) -> Vec<String> {
        if !self.at_work.remove(key) {
            return Vec::new();
        }
        if let Some(sight) = sight {
            self.waiting.insert(key.clone(), sight);
        }
        self.drain(log, store).await
    }

    /// No more objects come, also of those whose reading was broken off. What can't be known is said.
    pub async fn close(&mut self, log: &Journal, store: &Store) -> Vec<String> {
        self.at_work.clear();
        self.drain(log, store).await
    }

    /// Gives the checker what stands before all that is at work.
    async fn drain(&mut self, log: &Journal, store: &Store) -> Vec<String> {
        let mut unknown = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && self
                .at_work
                .first()
                .is_none_or(|at_work| first.key() < at_work)
        {
            let sight = first.remove();
            unknown.extend(self.ask_before(log, store, &sight.sighting).await);
            self.see(sight);
        }
        unknown
    }

    /// What is not known of it is returned.
    fn note(&mut self, known: Vec<Known>) -> Vec<String> {
        let mut unknown = Vec::new();
        for known in known {
            match known {
                Known::Chained { since } => self.checker.note_chain(since),
                Known::Object(sighting) => self.checker.note_before(&sighting),
                Known::Unknown(what) => unknown.push(what),
            }
        }
        unknown
    }

    /// What is to be said of the faults that are certain now.
    pub async fn faults(&mut self, log: &Journal) -> Findings {
        let faults = self.checker.take();
        self.accuser.hold(log, faults).await
    }

    /// Gives the checker the objects before the range whose numbers this one has, or names as unconfirmed: the ledger has
    /// them. What can't be known is said.
    async fn ask_before(
        &mut self,
        log: &Journal,
        store: &Store,
        sighting: &Sighting,
    ) -> Vec<String> {
        let Some(header) = sighting.header() else {
            return Vec::new();
        };
        let Header { run, node, seq, .. } = *header;
        let named = header.unconfirmed.iter();
        let named = named.map(|link| (link.seq, Some(link.key)));
        let numbers = std::iter::once((seq, None)).chain(named);
        let is_new = |(seq, _): &(u64, _)| {
            let number = Number {
                run,
                node,
                seq: *seq,
            };
            self.before.has(number) && self.asked.insert(number)
        };
        let numbers: BTreeMap<_, _> = numbers.filter(is_new).collect();
        if numbers.is_empty() {
            return Vec::new();
        }
        self.queries += 1;
        if self.queries > QUERIES_MAX {
            return vec![format!(
                "which objects before the range have numbers of run {run}"
            )];
        }
        let known = self.before.objects(log, store, (run, node), &numbers).await;
        self.note(known)
    }

    /// Every object was seen.
    pub async fn finish(mut self, log: &Journal) -> (Proven, Findings) {
        let Summary {
            faults,
            open,
            chained_since,
            unchained_before,
            ..
        } = self.checker.finish();
        let findings = self.accuser.hold(log, faults).await;
        let proven = Proven {
            open_runs: u64::try_from(open.len()).unwrap_or(u64::MAX),
            open_objects: open.iter().map(|run| run.open).sum(),
            chained_since: chained_since.map(|at| at.to_string()),
            before_the_chain: unchained_before,
            runs_without_end: open.iter().map(Into::into).collect(),
            hours: self.hours.finish(),
        };
        (proven, findings)
    }

    fn see(&mut self, sight: Sight) {
        if let Some(inside) = sight.inside {
            let sha256 = sight.sighting.sha256();
            let sha256 = sha256.unwrap_or_else(|| ObjectHash::of(b""));
            let key = sight.sighting.key.as_str();
            self.hours.add(&self.prefix, key, sha256, inside);
        }
        self.checker.see(sight.sighting);
    }
}

impl fmt::Display for Proven {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&output::counts(&[
            ("batches before the chain", self.before_the_chain),
            ("runs without an end", self.open_runs),
            ("  their objects not named yet", self.open_objects),
        ]))?;
        for run in self.runs_without_end.iter().take(RUNS_SHOWN_MAX) {
            writeln!(f, "{run}")?;
        }
        let hidden = self.runs_without_end.len().saturating_sub(RUNS_SHOWN_MAX);
        if hidden > 0 {
            writeln!(f, "and {hidden} more such runs; --json shows all")?;
        }
        match &self.chained_since {
            Some(since) => writeln!(f, "chained since {since}"),
            None => writeln!(f, "no chain: no object of the range has a header"),
        }
    }
}
