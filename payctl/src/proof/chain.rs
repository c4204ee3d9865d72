//! The objects of a walk, for the checker of the chain. They are read several at a time, and given to it in the order
//! of their keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use payment_core::chain::ObjectHash;
use payment_core::chain::checker::{
    Checker, Fault, Inserted, OpenRun, Sighting, Span, Summary, What,
};
use payment_core::{ObjectKey, Timestamp};
use serde::Serialize;

use super::hours::{Hour, Hours, RowDigest};
use crate::audit::difference::{Difference, Findings, Kind};
use crate::output;

/// An object as it was read.
#[derive(Debug)]
pub struct Sight {
    pub sighting: Sighting,
    /// Its rows; `None` if it is outside the range, and seen for what it says of others.
    pub rows: Option<RowDigest>,
}

/// The chain of a walk at work.
#[derive(Debug)]
pub struct Proof {
    prefix: String,
    checker: Checker,
    hours: Hours,
    /// Keys of objects that are being read.
    at_work: BTreeSet<ObjectKey>,
    /// Objects behind one that is at work.
    waiting: BTreeMap<ObjectKey, Sight>,
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
    #[serde(skip)]
    pub hours: Vec<Hour>,
    #[serde(skip)]
    pub runs: Vec<OpenRun>,
}

impl Sight {
    pub fn unread(key: &ObjectKey) -> Self {
        Self {
            sighting: Sighting::unread(key),
            rows: None,
        }
    }
}

impl Proof {
    pub fn new(prefix: &str, span: Span, chain_from: Option<Timestamp>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            checker: Checker::new(prefix, span, chain_from),
            hours: Hours::default(),
            at_work: BTreeSet::new(),
            waiting: BTreeMap::new(),
        }
    }

    /// How many objects wait for one before them.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Reading of the object begins. Called in the order of keys.
    pub fn begin(&mut self, key: &ObjectKey) {
        if key.as_str().starts_with(&self.prefix) {
            self.at_work.insert(key.clone());
        }
    }

    /// What was read of it, if it was there; the faults that are certain now.
    pub fn end(&mut self, key: &ObjectKey, sight: Option<Sight>) -> Vec<Difference> {
        if !self.at_work.remove(key) {
            return Vec::new();
        }
        if let Some(sight) = sight {
            self.waiting.insert(key.clone(), sight);
        }
        while let Some(first) = self.waiting.first_entry()
            && self
                .at_work
                .first()
                .is_none_or(|at_work| first.key() < at_work)
        {
            let sight = first.remove();
            self.see(sight);
        }
        differences(&self.checker.take())
    }

    pub fn finish(mut self) -> (Proven, Findings) {
        for sight in std::mem::take(&mut self.waiting).into_values() {
            self.see(sight);
        }
        let Summary {
            faults,
            open,
            chained_since,
            unchained_before,
        } = self.checker.finish();
        let proven = Proven {
            open_runs: u64::try_from(open.len()).unwrap_or(u64::MAX),
            open_objects: open.iter().map(|run| run.open).sum(),
            chained_since: chained_since.map(|at| at.to_string()),
            before_the_chain: unchained_before,
            hours: self.hours.finish(),
            runs: open,
        };
        let findings = Findings {
            differences: differences(&faults),
            ..Findings::default()
        };
        (proven, findings)
    }

    fn see(&mut self, sight: Sight) {
        if let Some(rows) = sight.rows {
            let sha256 = sight.sighting.sha256();
            let sha256 = sha256.unwrap_or_else(|| ObjectHash::of(b""));
            let key = sight.sighting.key.as_str();
            self.hours.add(&self.prefix, key, sha256, rows);
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
        match &self.chained_since {
            Some(since) => writeln!(f, "chained since {since}"),
            None => writeln!(f, "no chain: no object of the range has a header"),
        }
    }
}

fn differences(faults: &[Fault]) -> Vec<Difference> {
    faults.iter().map(difference).collect()
}

/// A fault with its place in the chain, and what to do.
fn difference(fault: &Fault) -> Difference {
    let (kind, advice) = match &fault.what {
        What::Missing { .. } => (
            Kind::ObjectMissing,
            "restore it from a version or a copy of the bucket",
        ),
        What::Changed { .. } => (Kind::ObjectChanged, "restore the version with this SHA-256"),
        What::Inserted(Inserted::Twice(_)) => (
            Kind::ObjectInserted,
            "find out by the ledger's times and the bucket's access log which one is forged",
        ),
        What::Inserted(_) => (
            Kind::ObjectInserted,
            "no tier wrote it: find out by the bucket's access log who did, and void its rows",
        ),
        What::Gap { .. } => (
            Kind::NumbersMissing,
            "look for them in the ledger and among the bucket's versions",
        ),
        What::Contradiction { .. } => (
            Kind::HeadersContradict,
            "one of them is forged: compare both with the bucket's versions",
        ),
        What::Unchained => (
            Kind::Unchained,
            "a tier with LOG_RECORD_VERSION=2 wrote it, or nobody of this system; while tiers are brought up to date, pass --chain-from",
        ),
        What::Unvouched | What::LostNumbers { .. } => (
            Kind::Unvouched,
            "restore the objects that are named missing or changed, and verify again",
        ),
    };
    let place = match (fault.run, fault.seq) {
        (Some(run), Some(seq)) => format!("run {run} number {seq}: "),
        _ => String::new(),
    };
    let detail = format!("{place}{}; {advice}", fault.what);
    Difference::of_object(kind, &fault.object, Some(detail))
}
