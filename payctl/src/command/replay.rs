//! `payctl replay`: what is not in the ledger, named objects, or dead letters, by the function's own code.

mod letters;
mod rejects;

use lambda_ingest::ingest::{IngestError, Ingested};
use payment_core::ObjectKey;
use payment_core::event::ObjectRef;
use payment_store::Store;
use program::Env;
use tokio::task::JoinSet;
use url::Url;

use crate::config::{self, JournalLocation, User};
use crate::ingest::{Ingest, Tally, tell};
use crate::journal::Journal;
use crate::journal_scan::JournalScan;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, warn};
use crate::progress;
use crate::range::Range;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    range: Range,
    /// These objects, whatever the ledger says: no line is recorded twice, and one that is in no table is recorded now
    #[arg(long, value_name = "KEY", num_args = 1.., value_parser = key, conflicts_with_all = ["from", "to"])]
    object: Vec<ObjectKey>,
    /// The lines that were rejected and that this version understands: they become rows, and the rejects stay as history
    #[arg(long, conflicts_with = "object")]
    rejects: bool,
    /// The objects of the events in `DEAD_LETTER_QUEUE_URL`; an event whose objects are all ingested is deleted
    #[arg(long, conflicts_with_all = ["from", "to", "object", "rejects"])]
    dead_letters: bool,
    /// Objects that are ingested at one time; with --object one
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=16))]
    jobs: u32,
}

/// Ends with [`Replay::finish`], which tells what became of all.
struct Replay {
    ingest: Ingest,
    is_named: bool,
    jobs: usize,
    tasks: JoinSet<(ObjectRef, Result<Ingested, IngestError>)>,
    tally: Tally,
}

pub async fn run(args: Args, mut env: Env) -> Result<Outcome, Failure> {
    let store = config::store(&mut env, User::Ingest, args.jobs);
    let jobs = usize::try_from(args.jobs)?;
    let place = config::place(&mut env);
    if args.dead_letters {
        let url: Option<Url> = env.required("DEAD_LETTER_QUEUE_URL");
        let (store, place, url) = env
            .finish(|| Some((store?, place?, url?)))
            .map_err(Failure::config)?;
        let log = Journal::open(place).await.map_err(Failure::config)?;
        return letters::run(log, store, url, jobs).await;
    }
    args.range.note_mistakes(&mut env);
    if let Some(place) = &place {
        note_strangers(place, &args.object, &mut env);
    }
    let (store, place) = env
        .finish(|| Some((store?, place?)))
        .map_err(Failure::config)?;
    let log = Journal::open(place).await.map_err(Failure::config)?;
    // A named key was held against the prefix above.
    if args.object.is_empty() {
        log.expect_prefix(&store).await.map_err(Failure::config)?;
    }
    output::say(&output::lines(&format!("journal {}", log.place)))?;
    if args.rejects {
        log.expect_ledger(&store).await?;
        return rejects::run(log, store, args.range, jobs).await;
    }
    let replay = Replay::new(Ingest::new(log.objects(), store.clone()), jobs);
    if args.object.is_empty() {
        range(&log, &store, &args.range, replay).await
    } else {
        named(&log, &store, args.object, replay).await
    }
}

/// A key outside the prefix names no object of the journal: what it holds is not to become rows.
fn note_strangers(place: &JournalLocation, keys: &[ObjectKey], env: &mut Env) {
    let prefix = &place.prefix;
    let strangers = keys.iter().filter(|key| !key.as_str().starts_with(prefix));
    for key in strangers {
        env.mistake(format!(
            "--object {key} does not start with {prefix} (LOG_PREFIX)"
        ));
    }
}

/// The objects of a range that are not in the ledger.
async fn range(
    log: &Journal,
    store: &Store,
    range: &Range,
    mut replay: Replay,
) -> Result<Outcome, Failure> {
    let bar = progress::bar("objects", 0);
    let mut walk = JournalScan::new(log, store, *range, vec![Range::whole(&log.place.prefix)]);
    let (mut seen, mut outside) = (0, 0);
    let walked = loop {
        let step = match walk.next().await {
            Ok(Some(step)) => step,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        if step.is_outside {
            outside += 1;
            continue;
        }
        let is_missing = step.is_missing();
        if let Some(listed) = step.listed {
            seen += 1;
            if is_missing {
                replay.push(log.reference(&listed.version.key)).await?;
                bar.inc(1);
            }
        }
    };
    bar.finish_and_clear();
    let tally = replay.finish().await?;
    output::say(&output::counts(&[
        ("objects of the range", seen),
        ("objects outside the range", outside),
    ]))?;
    output::say(&output::counts(&tally.named()))?;
    walked?;
    if seen == 0 {
        return Err("nothing was looked at: the journal holds no object of the range".into());
    }
    Ok(outcome(&tally))
}

/// One after another, in the order of the ledger: of two objects with one payment the row is the earlier one's.
async fn named(
    log: &Journal,
    store: &Store,
    keys: Vec<ObjectKey>,
    mut replay: Replay,
) -> Result<Outcome, Failure> {
    replay.is_named = true;
    replay.jobs = 1;
    let mut in_order = Vec::with_capacity(keys.len());
    for key in keys {
        let entries = store.ledger_entries(&key).await?;
        let first = entries.first().map(|entry| entry.ingested_at);
        in_order.push((first.is_none(), first, key));
    }
    in_order.sort();
    for (_, _, key) in &in_order {
        replay.push(log.reference(key)).await?;
    }
    let tally = replay.finish().await?;
    output::say(&output::counts(&tally.named()))?;
    Ok(outcome(&tally))
}

impl Replay {
    fn new(ingest: Ingest, jobs: usize) -> Self {
        Self {
            ingest,
            is_named: false,
            jobs,
            tasks: JoinSet::new(),
            tally: Tally::default(),
        }
    }

    async fn push(&mut self, object: ObjectRef) -> Result<(), Failure> {
        while self.tasks.len() >= self.jobs {
            self.take().await?;
        }
        let (ingest, is_named) = (self.ingest.clone(), self.is_named);
        self.tasks.spawn(async move {
            let result = if is_named {
                ingest.by_name(&object).await
            } else {
                ingest.one(&object).await
            };
            (object, result)
        });
        Ok(())
    }

    async fn take(&mut self) -> Result<(), Failure> {
        if let Some(done) = self.tasks.join_next().await {
            let (object, result) = done?;
            tell(&object, &result);
            self.tally.add(&result);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Tally, Failure> {
        while !self.tasks.is_empty() {
            self.take().await?;
        }
        Ok(self.tally)
    }
}

/// An object that was listed or named, and is gone, is missing from the journal; a rejected line of this system is a
/// payment that is missing.
fn outcome(tally: &Tally) -> Outcome {
    if tally.failed > 0 {
        warn("some objects were not ingested; run this again");
    }
    Outcome::unfinished_if(tally.failed > 0)
        .and(Outcome::different_if(tally.gone + tally.own_rejects > 0))
}

fn key(text: &str) -> Result<ObjectKey, &'static str> {
    ObjectKey::parse(text).ok_or("an object's key has 1 to 1024 bytes")
}
