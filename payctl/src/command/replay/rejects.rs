//! `payctl replay --rejects`: rejected lines that this version understands become rows, duplicates or conflicts.
//!
//! The rejects stay as history. What an object holds now must be the version that was rejected. It is read part by part,
//! and twice: whether its lines count shows at its end.

mod tally;

use std::collections::BTreeMap;
use std::sync::Arc;

use lambda_ingest::ingest::IngestError;
use lambda_ingest::objects::{ObjectError, S3Objects};
use lambda_ingest::parts::ObjectParts;
use payment_core::object::{HEADER_LINE, WHOLE_OBJECT};
use payment_core::record::Line;
use payment_core::{ObjectKey, ObjectVersion, PaymentKey, RecordError};
use payment_store::audit::{LOOKUP_IDS_MAX, LineTable, Origin, RowSpan};
use payment_store::{Part, Parts, Store};
use program::chain;
use tokio::task::JoinSet;

use self::tally::Tally;
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, warn};
use crate::range::{Membership, Range};

/// Rejects of one version that are kept together; of more, each further group reads the object again.
const GROUP_LINES_MAX: usize = 10_000;

/// Rejects of one version, which stand together in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    key: String,
    etag: String,
    /// Lines by their numbers; whether the database holds the line for an accepted payment that is not recorded.
    lines: BTreeMap<u32, bool>,
}

/// What each task needs.
#[derive(Debug)]
struct Replay {
    log: Journal,
    store: Store,
    range: Range,
}

#[derive(Debug, thiserror::Error)]
enum ReplayError {
    #[error("the object could not be read")]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Lines(#[from] IngestError),
    #[error("the database can't be asked")]
    Store(#[from] payment_store::Error),
}

pub async fn run(
    log: Journal,
    store: Store,
    range: Range,
    jobs: usize,
) -> Result<Outcome, Failure> {
    let replay = Arc::new(Replay { log, store, range });
    let mut tally = Tally::default();
    let mut tasks = JoinSet::new();
    let walked = walk(&replay, jobs, &mut tasks, &mut tally).await;
    while let Some(one) = tasks.join_next().await {
        tally.add(one?);
    }
    output::say(&output::counts(&tally.named()))?;
    walked?;
    Ok(tally.outcome())
}

/// Goes through all rejects, several groups at a time.
async fn walk(
    replay: &Arc<Replay>,
    jobs: usize,
    tasks: &mut JoinSet<Tally>,
    tally: &mut Tally,
) -> Result<(), Failure> {
    let mut span = RowSpan::until(replay.store.last_row(LineTable::Rejects).await?);
    let mut group: Option<Group> = None;
    while span.next().is_some() {
        let page = replay.store.origins(LineTable::Rejects, &mut span).await?;
        for origin in &page {
            let Some(done) = take(&mut group, origin) else {
                continue;
            };
            while tasks.len() >= jobs
                && let Some(one) = tasks.join_next().await
            {
                tally.add(one?);
            }
            tasks.spawn(one(Arc::clone(replay), done));
        }
    }
    if let Some(done) = group {
        tasks.spawn(one(Arc::clone(replay), done));
    }
    Ok(())
}

/// Adds a reject to its group; gives back the one before it where it begins another.
fn take(group: &mut Option<Group>, origin: &Origin) -> Option<Group> {
    let etag = origin.etag.as_deref().unwrap_or_default();
    match group {
        Some(group)
            if group.key == origin.key
                && group.etag == etag
                && group.lines.len() < GROUP_LINES_MAX =>
        {
            group.lines.insert(origin.line, origin.is_unsettled_own);
            None
        }
        _ => group.replace(Group {
            key: origin.key.clone(),
            etag: etag.to_owned(),
            lines: BTreeMap::from([(origin.line, origin.is_unsettled_own)]),
        }),
    }
}

async fn one(replay: Arc<Replay>, group: Group) -> Tally {
    let rejects = group.rejects();
    let done = replay.group(&group).await;
    let done = done.unwrap_or_else(|error| {
        warn(&format!("{}: {}", group.key, chain(&error)));
        Tally {
            failed: rejects,
            ..Tally::default()
        }
    });
    Tally { rejects, ..done }
}

impl Replay {
    async fn group(&self, group: &Group) -> Result<Tally, ReplayError> {
        let rejects = group.rejects();
        let outside = Tally {
            outside: rejects,
            ..Tally::default()
        };
        let gone = Tally {
            gone: rejects,
            ..Tally::default()
        };
        let prefix = &self.log.place.prefix;
        let membership = self.range.membership(prefix, &group.key);
        if !group.key.starts_with(prefix) {
            return Ok(Tally {
                elsewhere: rejects,
                ..Tally::default()
            });
        }
        if membership == Membership::Outside {
            return Ok(outside);
        }
        let Some(key) = ObjectKey::parse(&group.key) else {
            return Ok(gone);
        };
        // A foreign object whose own key is not known here. It is rejected until it is copied to a shorter one.
        if key.is_shortened() {
            let own = group.lost_own(&group.lines);
            return Ok(Tally {
                own,
                unreadable: rejects - own,
                ..Tally::default()
            });
        }
        let mut parts = match self.log.parts(&key).await {
            Ok(parts) => parts,
            Err(ObjectError::Gone) => {
                warn(&format!("{} is gone", group.key));
                return Ok(gone);
            }
            Err(error) => return Err(error.into()),
        };
        let version = parts.version().clone();
        if membership == Membership::ByTime && !self.range.contains(version.stored_at) {
            return Ok(outside);
        }
        let mut entries = self.store.ledger_entries_of(&version).await?.into_iter();
        let Some(entry) = entries.find(|entry| entry.etag.as_str() == group.etag) else {
            // Other content is there now, which is ingested as such.
            let own = group.lost_own(&group.lines);
            return Ok(Tally {
                own,
                replaced: rejects - own,
                ..Tally::default()
            });
        };
        // What is recorded goes by the name that the ledger has for the version.
        let version = ObjectVersion {
            etag: entry.etag,
            ..version
        };
        self.parts(group, &version, &mut parts).await
    }

    async fn parts(
        &self,
        group: &Group,
        version: &ObjectVersion,
        parts: &mut ObjectParts<'_, S3Objects>,
    ) -> Result<Tally, ReplayError> {
        let mut tally = Tally::default();
        let mut left = group.lines.clone();
        let refused = loop {
            match parts.next().await? {
                Part::Lines(_) => {}
                Part::End => break None,
                Part::Refused(why) => break Some(why),
            }
        };
        if let Some(why) = refused {
            let line = [(WHOLE_OBJECT, Err(why))];
            self.lines(version, &line, &mut left, &mut tally).await?;
        } else {
            if parts.header().is_some() && left.remove(&HEADER_LINE).is_some() {
                tally.headers += 1;
            }
            parts.rewind().await?;
            while let Part::Lines(lines) = parts.next().await? {
                self.lines(version, &lines, &mut left, &mut tally).await?;
            }
        }
        // Lines that the object does not have.
        let own = group.lost_own(&left);
        tally.own += own;
        tally.gone += u64::try_from(left.len()).unwrap_or(u64::MAX) - own;
        Ok(tally)
    }

    /// Takes those of the lines that are `left` to be looked at.
    async fn lines(
        &self,
        version: &ObjectVersion,
        lines: &[Line],
        left: &mut BTreeMap<u32, bool>,
        tally: &mut Tally,
    ) -> Result<(), ReplayError> {
        let mut right: Vec<Line> = Vec::new();
        for (line, record) in lines {
            let Some(is_unsettled_own) = left.remove(line) else {
                continue;
            };
            match record {
                Ok(record) => right.push((*line, Ok(record.clone()))),
                Err(rejected) if rejected.is_own || is_unsettled_own => {
                    warn(&format!(
                        "{} line {line} is of this system and still rejected: {}",
                        version.key, rejected.error
                    ));
                    tally.own += 1;
                }
                Err(rejected) if rejected.resembles_own => {
                    warn(&format!(
                        "{} line {line} is broken, and may have been this system's: look at it by hand",
                        version.key
                    ));
                    tally.unreadable += 1;
                }
                Err(rejected) if matches!(rejected.error, RecordError::Unreadable(_)) => {
                    tally.unreadable += 1;
                }
                Err(_) => tally.foreign += 1,
            }
        }
        let right = self.unsettled(right, tally).await?;
        if right.is_empty() {
            return Ok(());
        }
        let outcome = self.store.ingest_lines(version, &right).await?;
        tally.rows += u64::from(outcome.rows);
        tally.duplicates += u64::from(outcome.duplicates);
        tally.conflicts += u64::from(outcome.conflicts);
        tally.refused += u64::from(outcome.rejects);
        Ok(())
    }

    /// Those of the lines that are not rows yet, nor repeats of one.
    async fn unsettled(
        &self,
        lines: Vec<Line>,
        tally: &mut Tally,
    ) -> Result<Vec<Line>, ReplayError> {
        let mut unsettled = Vec::new();
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let chunk: Vec<Line> = lines.by_ref().take(LOOKUP_IDS_MAX).collect();
            let payments: Vec<&PaymentKey> = chunk
                .iter()
                .filter_map(|(_, record)| Some(record.as_ref().ok()?.payment.key()))
                .collect();
            let rows = self.store.rows_of(&payments).await?;
            let rows = rows.by_payment();
            for (line, record) in chunk {
                let is_settled = record.as_ref().is_ok_and(|record| {
                    let row = rows.get(record.payment.key());
                    row.is_some_and(|row| row.content_hash == Some(record.content_hash))
                });
                if is_settled {
                    tally.settled_before += 1;
                } else {
                    unsettled.push((line, record));
                }
            }
        }
        Ok(unsettled)
    }
}

impl Group {
    fn rejects(&self) -> u64 {
        u64::try_from(self.lines.len()).unwrap_or(u64::MAX)
    }

    /// How many of the lines were accepted payments that are not recorded, where the object does not hold them any more:
    /// each is named, and the database's word counts.
    fn lost_own(&self, lines: &BTreeMap<u32, bool>) -> u64 {
        let own: Vec<_> = lines.iter().filter(|(_, is_own)| **is_own).collect();
        for (line, _) in &own {
            warn(&format!(
                "{} line {line} was an accepted payment that was rejected, and what it held is not there any more",
                self.key
            ));
        }
        u64::try_from(own.len()).unwrap_or(u64::MAX)
    }
}
