//! What the time before the range says of the objects in it: whether there was a chain, and which runs had ended.
//!
//! The walk comes by every key, so the ledger's entries of that time are there. Objects are read where it takes a header
//! to tell: one for the chain's beginning, and the last one of each run that has objects in the range. In memory is the
//! key of that last one, for every run.

use std::collections::HashMap;

use lambda_ingest::objects::ObjectError;
use payment_core::chain::checker::Sighting;
use payment_core::chain::{Header, Position, RunId};
use payment_core::object::read_header;
use payment_core::{ObjectKey, Timestamp};

use crate::journal::Journal;
use crate::journal_scan::Step;
use crate::range::begin_of_hour;

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
    runs: HashMap<RunId, Last>,
}

/// The object of a run with its highest number.
#[derive(Debug)]
struct Last {
    seq: u64,
    key: ObjectKey,
}

/// What is known of the time before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    Chained {
        since: Timestamp,
    },
    Ended {
        run: RunId,
        seq: u64,
    },
    /// The last object of a run that goes on in the range.
    Last(Sighting),
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
        // By its folder, if its UUID is of no such time.
        let at = key
            .own_batch()
            .and_then(|(uuid, _)| ObjectKey::time_of(uuid));
        let at = at.filter(|at| begin_of_hour(*at) == hour);
        if at.unwrap_or(hour) < until {
            if let Some(at) = at {
                self.note(step, at);
            }
            return Vec::new();
        }
        let mut known = Vec::new();
        if std::mem::take(&mut self.asks_begin) {
            known.extend(self.begin(log).await);
        }
        let runs = positions(step).filter_map(|position| self.runs.remove(&position.run));
        for last in runs.collect::<Vec<_>>() {
            known.extend(last.read(log).await);
        }
        known
    }

    fn note(&mut self, step: &Step, at: Timestamp) {
        let mut positions = positions(step).peekable();
        if positions.peek().is_none() {
            let is_batch = step.listed.as_ref().is_some_and(|listed| listed.bytes > 0);
            self.last = is_batch.then(|| step.key.clone()).or(self.last.take());
            return;
        }
        self.chained_since.get_or_insert(at);
        for Position { run, seq } in positions {
            let is_later = |last: &Last| last.seq < seq;
            if self.runs.get(&run).is_none_or(is_later) {
                let key = step.key.clone();
                self.runs.insert(run, Last { seq, key });
            }
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

impl Last {
    async fn read(&self, log: &Journal) -> Option<Known> {
        let object = match log.find(&self.key).await {
            Ok(object) => object?,
            Err(error) => {
                return Some(Known::Unknown(format!(
                    "what a run was before the range, as {} can't be read: {error}",
                    self.key
                )));
            }
        };
        let sighting = Sighting::of(&self.key, &object.body);
        let header = sighting.header()?;
        Some(match *header {
            Header {
                run,
                seq,
                end: true,
                ..
            } => Known::Ended { run, seq },
            _ => Known::Last(sighting),
        })
    }
}

fn positions(step: &Step) -> impl Iterator<Item = Position> {
    let fingerprints = step.entries.iter().filter_map(|entry| entry.fingerprint);
    fingerprints.filter_map(|fingerprint| fingerprint.position)
}

/// The object's header. One that is gone has none.
async fn header(log: &Journal, key: &ObjectKey) -> Result<Option<Header>, ObjectError> {
    let object = log.find(key).await?;
    Ok(object.and_then(|object| read_header(key, &object.body)))
}
