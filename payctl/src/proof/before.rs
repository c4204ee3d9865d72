//! What the time before the range says of the objects in it: whether there was a chain, and which runs had ended.
//!
//! The walk comes by every key, so the ledger's entries of that time are there. Objects are read where it takes a header
//! to tell: one for the chain's beginning, the last one of each run that has objects in the range, and each whose number an
//! object of the range has as well. In memory is the key of the last one and the numbers, of which a run has few spans.

use std::collections::{BTreeMap, HashMap};

use lambda_ingest::objects::ObjectError;
use payment_core::chain::checker::Sighting;
use payment_core::chain::{Header, Node, NumberSet, Position, RunId};
use payment_core::object::read_header;
use payment_core::{ObjectKey, Timestamp};
use payment_store::Store;
use payment_store::audit::{LedgerEntry, NUMBERED_MAX};
use program::chain;
use time::Duration;
use uuid::Uuid;

use crate::journal::Journal;
use crate::journal_scan::Step;
use crate::range::{begin_of_hour, moved};

/// Objects with a run's highest number that are read.
const LAST_MAX: usize = 16;

/// How long functions with and without hashes work side by side while they are brought up to date.
const ROLLOUT: Duration = Duration::minutes(15);

#[derive(Debug)]
pub struct Before {
    prefix: String,
    /// Where the range begins; `None`: there is nothing before.
    until: Option<Timestamp>,
    /// Whether it is still to be said since when there is a chain.
    asks_begin: bool,
    /// When the first object that the ledger gives a place was received.
    chained_since: Option<Timestamp>,
    /// The last batch of those that it gives none.
    last: Option<ObjectKey>,
    runs: HashMap<(RunId, Node), OfRun>,
    /// When the first of the entries with a hash was written.
    hashed_since: Option<Timestamp>,
}

/// What the ledger has of a run.
#[derive(Debug, Default)]
struct OfRun {
    numbers: NumberSet,
    /// The objects with its highest number, until they are read: one, and what somebody forged.
    last: Vec<ObjectKey>,
}

/// A number of a run that the ledger has before the range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number {
    pub run: RunId,
    pub node: Node,
    pub seq: u64,
}

/// What is known of the time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Chained {
        since: Timestamp,
    },
    /// An object of a run that goes on in the range.
    Object(Sighting),
    Unknown(String),
}

impl Before {
    /// `knows_begin`: it is known since when there is a chain.
    pub fn new(prefix: &str, until: Option<Timestamp>, knows_begin: bool) -> Self {
        Self {
            prefix: prefix.to_owned(),
            until,
            asks_begin: !knows_begin,
            chained_since: None,
            last: None,
            runs: HashMap::new(),
            hashed_since: None,
        }
    }

    /// Takes each step of the walk, in the order of the keys. Returns what is to be known before the step's own object
    /// is seen.
    pub async fn pass(&mut self, log: &Journal, step: &Step) -> Vec<Known> {
        let Some(until) = self.until else {
            return Vec::new();
        };
        let key = &step.key;
        let hour = key.batch_hour();
        let Some(hour) = hour.filter(|_| key.as_str().starts_with(&self.prefix)) else {
            return Vec::new();
        };
        let unhashed = self.unhashed(step);
        // By its folder, if its UUID is of no such time.
        let at = key.batch_time().filter(|at| begin_of_hour(*at) == hour);
        if at.unwrap_or(hour) < until {
            if let Some(at) = at {
                self.note(step, at);
            }
            return Vec::new();
        }
        let mut known: Vec<_> = unhashed.into_iter().collect();
        if std::mem::take(&mut self.asks_begin) {
            known.extend(self.begin(log).await);
        }
        for number in numbers(step) {
            let of_run = self.runs.get_mut(&(number.run, number.node));
            let last = of_run.map(|of_run| std::mem::take(&mut of_run.last));
            for key in last.into_iter().flatten() {
                known.extend(read(log, &key).await);
            }
        }
        known
    }

    /// A batch whose header an older function rejected, if the ledger says so of a time when the function wrote hashes.
    fn unhashed(&mut self, step: &Step) -> Option<Known> {
        let has_hash =
            |entry: &&LedgerEntry| entry.fingerprint.is_some_and(|kept| kept.sha256.is_some());
        let first = step
            .entries
            .iter()
            .filter(has_hash)
            .map(|entry| entry.ingested_at)
            .min();
        if let Some(first) = first {
            let since = self.hashed_since.get_or_insert(first);
            *since = first.min(*since);
            return None;
        }
        let newer = self.hashed_since.map(|since| moved(since, ROLLOUT))?;
        let mut rejected = step.entries.iter().filter(|entry| entry.rejects > 0);
        rejected.any(|entry| newer < entry.ingested_at).then(|| {
            Known::Unknown(format!(
                "whether {} is of its run, as its ledger entry has no hash, and was written when the function wrote hashes",
                step.key
            ))
        })
    }

    /// Whether the ledger has an object of this number before the range.
    pub fn has(&self, number: Number) -> bool {
        let of_run = self.runs.get(&(number.run, number.node));
        of_run.is_some_and(|of_run| of_run.numbers.contains(number.seq))
    }

    /// The objects before the range that have the numbers, as the ledger has them, but for those that are known.
    pub async fn objects(
        &self,
        log: &Journal,
        store: &Store,
        (run, node): (RunId, Node),
        numbers: &BTreeMap<u64, Option<Uuid>>,
    ) -> Vec<Known> {
        let list: Vec<_> = numbers.keys().copied().collect();
        let unknown = |why: &str| {
            let what = format!("which objects before the range have numbers of run {run}: {why}");
            vec![Known::Unknown(what)]
        };
        let objects = match store.objects_numbered(run, node, &list).await {
            Ok(objects) if objects.len() < NUMBERED_MAX => objects,
            Ok(_) => return unknown("the ledger has too many"),
            Err(error) => return unknown(&chain(&error)),
        };
        let mut known = Vec::new();
        for (seq, key) in objects {
            let batch = key.own_batch();
            let batch = batch.filter(|(_, of)| Node::parse(of) == Some(node));
            let Some((uuid, _)) = batch else { continue };
            let is_before = ObjectKey::time_of(uuid).is_some_and(|at| Some(at) < self.until);
            if is_before && numbers.get(&seq) != Some(&Some(uuid)) {
                known.extend(read(log, &key).await);
            }
        }
        known
    }

    fn note(&mut self, step: &Step, at: Timestamp) {
        let mut numbers = numbers(step).peekable();
        if numbers.peek().is_none() {
            let is_batch = step.listed.as_ref().is_some_and(|listed| listed.bytes > 0);
            self.last = is_batch.then(|| step.key.clone()).or(self.last.take());
            return;
        }
        self.chained_since.get_or_insert(at);
        for Number { run, node, seq } in numbers {
            let of_run = self.runs.entry((run, node)).or_default();
            let last = of_run.numbers.last();
            if last.is_none_or(|last| last < seq) {
                of_run.last = vec![step.key.clone()];
            } else if last == Some(seq)
                && of_run.last.len() < LAST_MAX
                && !of_run.last.contains(&step.key)
            {
                of_run.last.push(step.key.clone());
            }
            of_run.numbers.insert(seq);
        }
    }

    /// The ledger tells of the first header. What an older function ingested may have one all the same.
    async fn begin(&mut self, log: &Journal) -> Option<Known> {
        if let Some(since) = self.chained_since {
            return Some(Known::Chained { since });
        }
        let key = self.last.take()?;
        match header(log, &key).await {
            Ok(header) => header.map(|header| Known::Chained {
                since: header.clock,
            }),
            Err(error) => Some(Known::Unknown(format!(
                "since when the journal has a chain, as {key} can't be read: {error}; pass --chain-from"
            ))),
        }
    }
}

/// An object before the range. One that is gone says nothing.
async fn read(log: &Journal, key: &ObjectKey) -> Option<Known> {
    match log.find(key).await {
        Ok(object) => Some(Known::Object(Sighting::of(key, &object?.body))),
        Err(error) => Some(Known::Unknown(format!(
            "what a run was before the range, as {key} can't be read: {error}"
        ))),
    }
}

/// The numbers of all versions of the step's object.
fn numbers(step: &Step) -> impl Iterator<Item = Number> {
    let node = step.key.own_batch().and_then(|(_, node)| Node::parse(node));
    let fingerprints = step.entries.iter().filter_map(|entry| entry.fingerprint);
    fingerprints.filter_map(move |fingerprint| {
        let Position { run, seq } = fingerprint.position?;
        let node = node?;
        Some(Number { run, node, seq })
    })
}

/// The object's header. One that is gone has none.
async fn header(log: &Journal, key: &ObjectKey) -> Result<Option<Header>, ObjectError> {
    let object = log.find(key).await?;
    Ok(object.and_then(|object| read_header(key, &object.body)))
}
