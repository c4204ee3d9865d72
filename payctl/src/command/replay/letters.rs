//! The letters of the dead-letter queue: each is deleted once all its objects are ingested.
//!
//! A letter may be the last trace of an accepted payment, so every other one is kept. Letters in our hands stay hidden
//! from others for as long as we work, and are given back at the end, however that comes; what the queue then still
//! counts is told, for a letter that another holds was not looked at.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lambda_ingest::ingest::{IngestError, Ingested};
use payment_core::event::{EventError, ObjectRef};
use payment_store::Store;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};
use url::Url;

use super::tell;
use crate::ingest::{Ingest, Tally};
use crate::log;
use crate::outcome::{Failure, Outcome};
use crate::output::{self, warn};
use crate::queue::{Depth, EXTEND_EVERY, Letter, Queue};

/// After so many letters that could not be ingested, one after the other, the rest would fare no better.
const FAILURES_MAX: u32 = 16;

/// SQS counts with a delay: how often it is asked until its counts fit what was done.
const COUNTS_MAX: u32 = 5;

const COUNT_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Receipts of the letters in our hands, by the letters' ids.
#[derive(Debug, Clone, Default)]
struct Held(Arc<Mutex<HashMap<String, String>>>);

struct Letters {
    queue: Queue,
    ingest: Ingest,
    jobs: usize,
    held: Held,
    tally: Tally,
    deleted: u64,
    /// Failures since the last success.
    failures: u32,
}

/// What became of a letter's objects, as far as it names any.
type Read = Result<Vec<(ObjectRef, Result<Ingested, IngestError>)>, EventError>;

pub async fn run(store: Store, url: Url, jobs: usize) -> Result<Outcome, Failure> {
    let queue = Queue::open(url).await.map_err(Failure::config)?;
    let objects = log::any_bucket().await.map_err(Failure::config)?;
    let mut letters = Letters {
        queue,
        ingest: Ingest::new(objects, store),
        jobs,
        held: Held::default(),
        tally: Tally::default(),
        deleted: 0,
        failures: 0,
    };
    let worked = tokio::select! {
        worked = letters.work() => worked,
        _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
    };
    let kept = letters.held.receipts();
    let released = letters.queue.release(&kept).await;
    worked?;
    released?;
    letters.finish(u64::try_from(kept.len())?).await
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

    async fn take_all(&mut self, tasks: &mut JoinSet<(Letter, Read)>) -> Result<(), Failure> {
        let mut is_drained = false;
        loop {
            while !is_drained && tasks.len() < self.jobs {
                let received = self.queue.receive(self.jobs - tasks.len()).await?;
                let new = self.held.take(received);
                is_drained = new.is_empty();
                for letter in new {
                    let ingest = self.ingest.clone();
                    tasks.spawn(async move {
                        let read = read(&letter, &ingest).await;
                        (letter, read)
                    });
                }
            }
            let Some(done) = tasks.join_next().await else {
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
        let objects = match read {
            Ok(objects) => objects,
            Err(error) => {
                warn(&format!("letter {id}: {error}; it stays in the queue"));
                return Ok(());
            }
        };
        let mut is_done = true;
        for (object, result) in &objects {
            tell(object, result);
            self.tally.add(result);
            self.failures = if result.is_err() {
                self.failures + 1
            } else {
                0
            };
            if matches!(result, Ok(Ingested::Gone)) {
                warn(&lost(id, object));
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

    async fn finish(self, kept: u64) -> Result<Outcome, Failure> {
        let depth = self.depth(kept).await?;
        output::say(&output::counts(&self.tally.named()))?;
        output::say(&output::counts(&[
            ("letters done and deleted", self.deleted),
            ("letters kept", kept),
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
                 had; run this again in two minutes",
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

impl Held {
    /// The letters that were not in our hands before. One that was has a new receipt, and the last one counts.
    fn take(&self, received: Vec<Letter>) -> Vec<Letter> {
        let mut held = self.lock();
        let is_new = |letter: &Letter| {
            held.insert(letter.id.clone(), letter.receipt.clone())
                .is_none()
        };
        received.into_iter().filter(is_new).collect()
    }

    fn forget(&self, id: &str) {
        self.lock().remove(id);
    }

    fn receipt(&self, id: &str) -> Option<String> {
        self.lock().get(id).cloned()
    }

    fn receipts(&self) -> Vec<String> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn read(letter: &Letter, ingest: &Ingest) -> Read {
    let mut results = Vec::new();
    for object in letter.objects()? {
        let result = ingest.one(&object).await;
        results.push((object, result));
    }
    Ok(results)
}

fn lost(letter: &str, object: &ObjectRef) -> String {
    let (bucket, key) = (quoted(&object.bucket), quoted(object.key.as_str()));
    format!(
        "letter {letter} stays in the queue: it may be the last trace of accepted payments. Look for other versions of \
         the object (aws s3api list-object-versions --bucket {bucket} --prefix {key}), for who deleted it (the bucket's \
         access log, CloudTrail), and for what else is missing (payctl reconcile); then delete the letter by hand"
    )
}

/// For a shell: whoever wrote the letter chose the name.
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
