//! The letters of the dead-letter queue: each is deleted once all its objects are ingested.
//!
//! A letter may be the last trace of an accepted payment, so every other one is kept: also one of a version that was
//! replaced before it was ingested, and one that tells of a deletion. Letters in our hands stay hidden
//! from others for as long as we work, and are given back at the end, however that comes; what the queue then still
//! counts is told, for a letter that another holds was not looked at.

mod held;

use std::io;
use std::time::Duration;

use lambda_ingest::ingest::{IngestError, Ingested};
use payment_core::event::{EventError, ObjectRef};
use payment_store::Store;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};
use url::Url;

use self::held::Held;
use crate::config::JournalLocation;
use crate::ingest::{Ingest, Tally, tell};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, warn};
use crate::queue::{Depth, EXTEND_EVERY, Letter, Queue};
use crate::stop::Stop;

/// After so many letters that could not be ingested, one after the other, the rest would fare no better.
const FAILURES_MAX: u32 = 16;

/// SQS counts with a delay: how often it is asked until its counts fit what was done.
const COUNTS_MAX: u32 = 5;

const COUNT_AGAIN_AFTER: Duration = Duration::from_secs(1);

struct Letters {
    place: JournalLocation,
    queue: Queue,
    ingest: Ingest,
    jobs: usize,
    stop: Stop,
    held: Held,
    tally: Tally,
    /// Objects that the letters name and that are none of the journal.
    strangers: u64,
    /// Versions that the letters name, that were never ingested, and that S3 does not give any more.
    replaced: u64,
    deleted: u64,
    /// Failures since the last success.
    failures: u32,
}

/// What became of an object that a letter names.
enum Fate {
    /// It is no object of the journal, and was left alone: whoever may write to the queue chose it.
    Stranger,
    Tried(Result<Ingested, IngestError>),
    /// It is ingested as it is now; the version that the letter names never was.
    Replaced(Result<Ingested, IngestError>),
}

/// What became of a letter's objects, record by record.
type Read = Vec<Result<(ObjectRef, Fate), EventError>>;

pub async fn run(log: Journal, store: Store, url: Url, jobs: usize) -> Result<Outcome, Failure> {
    let stop = Stop::listen()?;
    let queue = Queue::open(url).await.map_err(Failure::config)?;
    output::say(&output::lines(&format!("letters of {}", queue.url())))?;
    if queue.is_redriven().await? {
        return Err(Failure::config(
            "DEAD_LETTER_QUEUE_URL is a queue that hands on what fails (RedrivePolicy): name the one that it hands it to",
        ));
    }
    let mut letters = Letters {
        queue,
        ingest: Ingest::new(log.objects(), store),
        place: log.place,
        jobs,
        stop,
        held: Held::default(),
        tally: Tally::default(),
        strangers: 0,
        replaced: 0,
        deleted: 0,
        failures: 0,
    };
    let worked = letters.work().await;
    let kept = letters.held.receipts();
    let released = letters.queue.release(&kept).await;
    let kept = u64::try_from(kept.len())?;
    letters.tell_done(kept)?;
    worked?;
    released?;
    letters.finish(kept).await
}

impl Letters {
    async fn work(&mut self) -> Result<(), Failure> {
        let (held, queue) = (self.held.clone(), self.queue.clone());
        let mut tasks = JoinSet::new();
        let extending = async move {
            let mut ticks = interval(EXTEND_EVERY);
            loop {
                ticks.tick().await;
                if let Err(error) = queue.extend(&held.receipts()).await {
                    warn(&error.to_string());
                }
            }
        };
        tokio::select! {
            () = extending => Ok(()),
            done = self.take_all(&mut tasks) => done,
        }
    }

    /// A stop is heeded between calls to the queue: one that was cut off might have given us letters that nobody
    /// would release.
    async fn take_all(&mut self, tasks: &mut JoinSet<(Letter, Read)>) -> Result<(), Failure> {
        let mut is_drained = false;
        loop {
            while !is_drained && tasks.len() < self.jobs && !self.stop.is_asked() {
                let received = self.queue.receive(self.jobs - tasks.len()).await?;
                let new = self.held.take(received);
                is_drained = new.is_empty();
                for letter in new {
                    let (place, ingest) = (self.place.clone(), self.ingest.clone());
                    tasks.spawn(async move {
                        let read = read(&letter, &place, &ingest).await;
                        (letter, read)
                    });
                }
            }
            let done = tokio::select! {
                biased;
                () = self.stop.asked() => {
                    return Err("interrupted: the letters at hand were not done, and are released".into());
                }
                done = tasks.join_next() => done,
            };
            let Some(done) = done else {
                return Ok(());
            };
            let (letter, read) = done?;
            self.settle(&letter, read).await?;
            if self.failures == FAILURES_MAX && !is_drained {
                warn(&format!(
                    "{FAILURES_MAX} objects failed one after the other; no further letter is taken"
                ));
                is_drained = true;
            }
        }
    }

    /// Deletes the letter, or says why it stays.
    async fn settle(&mut self, letter: &Letter, read: Read) -> Result<(), Failure> {
        let id = &letter.id;
        let mut is_done = true;
        for record in &read {
            let (object, fate) = match record {
                Ok(read) => read,
                Err(error) => {
                    warn(&format!("letter {id}: {error}; it stays in the queue"));
                    is_done = false;
                    continue;
                }
            };
            let result = match fate {
                Fate::Tried(result) => result,
                Fate::Replaced(result) => {
                    let why = "the version of its object that it names was replaced before it was ingested";
                    warn(&lost(id, object, why));
                    self.replaced += 1;
                    is_done = false;
                    result
                }
                Fate::Stranger => {
                    warn(&self.stranger(id, object));
                    self.strangers += 1;
                    is_done = false;
                    continue;
                }
            };
            tell(object, result);
            self.tally.add(result);
            self.failures = if result.is_err() {
                self.failures + 1
            } else {
                0
            };
            if matches!(result, Ok(Ingested::Gone)) {
                warn(&lost(id, object, "its object is gone"));
            }
            is_done &= matches!(result, Ok(Ingested::Stored { .. } | Ingested::Already));
        }
        if is_done && let Some(receipt) = self.held.receipt(&letter.id) {
            self.queue.delete(receipt).await?;
            self.held.forget(&letter.id);
            self.deleted += 1;
        }
        Ok(())
    }

    fn stranger(&self, letter: &str, object: &ObjectRef) -> String {
        let JournalLocation { bucket, prefix } = &self.place;
        format!(
            "letter {letter} stays in the queue: it names s3://{}/{}, which lies outside s3://{bucket}/{prefix} \
             (LOG_BUCKET, LOG_PREFIX) and was not ingested. If those are right, find out who sent the letter, and \
             delete it by hand",
            object.bucket, object.key
        )
    }

    fn tell_done(&self, kept: u64) -> io::Result<()> {
        output::say(&output::counts(&self.tally.named()))?;
        output::say(&output::counts(&[
            ("objects outside the journal", self.strangers),
            ("versions never ingested", self.replaced),
            ("letters done and deleted", self.deleted),
            ("letters kept", kept),
        ]))
    }

    async fn finish(self, kept: u64) -> Result<Outcome, Failure> {
        let depth = self.depth(kept).await?;
        output::say(&output::counts(&[
            ("letters in the queue now", depth.visible),
            ("  in other hands", depth.in_flight),
            ("  delayed", depth.delayed),
        ]))?;
        if self.tally.failed > 0 {
            warn("some objects were not ingested; run this again");
        }
        if depth.visible > kept {
            warn("letters that this run did not see are in the queue; run this again");
        }
        if depth.in_flight > 0 || depth.delayed > 0 {
            warn(
                "letters are hidden, and were not looked at: another operator has them, or a run that was killed \
                 had; run this again in a minute",
            );
        }
        let is_unfinished = self.tally.failed > 0
            || depth.visible > kept
            || depth.in_flight > 0
            || depth.delayed > 0;
        let is_different = kept + self.tally.own_rejects > 0;
        Ok(Outcome::unfinished_if(is_unfinished).and(Outcome::different_if(is_different)))
    }

    /// What the queue counts once it knows that we hold nothing any more.
    async fn depth(&self, kept: u64) -> Result<Depth, Failure> {
        let mut depth = self.queue.depth().await?;
        for _ in 1..COUNTS_MAX {
            if depth.in_flight == 0 && depth.visible == kept {
                break;
            }
            sleep(COUNT_AGAIN_AFTER).await;
            depth = self.queue.depth().await?;
        }
        Ok(depth)
    }
}

async fn read(letter: &Letter, place: &JournalLocation, ingest: &Ingest) -> Read {
    let mut read = Vec::new();
    for named in letter.objects() {
        read.push(match named {
            Ok(object) if place.holds(&object) => {
                let fate = tried(&object, ingest).await;
                Ok((object, fate))
            }
            Ok(object) => Ok((object, Fate::Stranger)),
            Err(error) => Err(error),
        });
    }
    read
}

async fn tried(object: &ObjectRef, ingest: &Ingest) -> Fate {
    let result = ingest.one(object).await;
    if !matches!(result, Ok(Ingested::Stored { .. } | Ingested::Already)) {
        return Fate::Tried(result);
    }
    match ingest.is_ingested(object).await {
        Ok(true) => Fate::Tried(result),
        Ok(false) => Fate::Replaced(result),
        Err(error) => Fate::Tried(Err(error)),
    }
}

fn lost(letter: &str, object: &ObjectRef, why: &str) -> String {
    let (bucket, key) = (quoted(&object.bucket), quoted(object.key.as_str()));
    format!(
        "letter {letter} stays in the queue: {why}, and it may be the last trace of accepted payments. Look for other versions of \
         the object (aws s3api list-object-versions --bucket {bucket} --prefix {key}), for who deleted it (the bucket's \
         access log, CloudTrail), and for what else is missing (payctl reconcile); then delete the letter by hand"
    )
}

/// Quotes a name for a shell: whoever wrote the letter chose the name.
fn quoted(name: &str) -> String {
    format!("'{}'", name.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_obeys_no_name() {
        assert_eq!(quoted("a'; id #"), r"'a'\''; id #'");
    }
}
