//! Finds objects that were never ingested: their event was lost, or gave up (promise P2).
//!
//! Keys of batches sort by time, so a run lists what is new and nothing else. It makes four passes, each of which goes
//! on where the run before stopped, and holds one page of keys at a time:
//!
//! - *open*: the hours to which objects are still added, from a little before the last run.
//! - *rest*: keys that are not sorted by time (`LOG_LAYOUT=object`, other writers), some pages a run, round and round.
//! - *closed*: every hour once more, after it has closed, however long ago that is.
//! - *deferred*: objects that failed before.
//!
//! An object that fails is noted and passed over. A run fails only if the bucket or the database does.

use std::collections::HashMap;

use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, ObjectVersion, Timestamp};
use payment_store::Backend;
use time::Duration;

use crate::deadline::Time;
use crate::handler::Handler;
use crate::metrics::Tally;
use crate::objects::{ObjectError, Objects, Page};

/// Younger objects of open hours are left to their event, which is most likely on its way.
const AGE_MIN: Duration = Duration::seconds(10);

/// The open hours are listed from so long before the last run: clocks of nodes differ, and a PUT takes its time.
const OVERLAP: Duration = Duration::minutes(2);

/// An hour is closed so long after its end. What comes into it later still is found by `payctl reconcile`.
const CLOSES_AFTER: Duration = Duration::minutes(15);

/// So far ahead a node's clock may be.
const AHEAD: Duration = Duration::hours(2);

/// Pages of keys without order that one run lists.
const REST_PAGES: usize = 50;

/// Progress is recorded after so many pages, and at the end of a pass: a run that is killed loses no more.
const PAGES_RECORDED: usize = 16;

/// Deferred objects that are looked up at a time.
const DEFERRED_PAGE: u32 = 200;

#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    #[error("a schedule came, but LOG_BUCKET is not set: name the bucket that is to be swept")]
    NoBucket,
    #[error("the bucket could not be listed")]
    List(#[from] ObjectError),
    #[error("the database could not say what was ingested, or record how far the sweep got")]
    Store(#[from] payment_store::Error),
    #[error("S3 or the database did not answer before the deadline")]
    OutOfTime,
}

/// One pass and the keys that it lists, in their order.
struct Pass {
    name: &'static str,
    prefix: String,
    after: String,
    before: Option<String>,
    /// Where the next run begins when this one has reached the end.
    then: String,
    /// Objects stored later are not looked at.
    stored_until: Option<Timestamp>,
    /// Keys that start so are passed over, and the key behind all of them.
    skip: Option<(String, String)>,
    pages_max: usize,
}

struct Run<'a, O: Objects, B: Backend> {
    handler: &'a Handler<O, B>,
    bucket: &'a str,
    /// Whose progress it is: bucket and prefix.
    journal: String,
    positions: HashMap<String, String>,
    now: Timestamp,
    tally: &'a mut Tally,
}

/// One run. What there was no time for, the next one does.
pub(crate) async fn run<O: Objects, B: Backend>(
    handler: &Handler<O, B>,
    now: Timestamp,
    time: Time,
    tally: &mut Tally,
) -> Result<(), SweepError> {
    let sweep = &handler.sweep;
    let bucket = sweep.bucket.as_deref().ok_or(SweepError::NoBucket)?;
    let journal = format!("{bucket}/{}", sweep.prefix);
    let mut run = Run {
        handler,
        bucket,
        positions: handler.store.sweep_positions(&journal).await?,
        journal,
        now,
        tally,
    };
    let passes = async {
        // No pass takes all the time, so that none waits for ever behind another.
        run.open(time.hundredths(50)).await?;
        run.rest(time.hundredths(40)).await?;
        run.closed(time.hundredths(70)).await?;
        run.deferred(time).await
    };
    time.to_the_last(passes)
        .await
        .unwrap_or(Err(SweepError::OutOfTime))
}

impl<O: Objects, B: Backend> Run<'_, O, B> {
    async fn open(&mut self, time: Time) -> Result<(), SweepError> {
        let prefix = &self.handler.sweep.prefix;
        // Keys of the last minutes may still come.
        let settled = ObjectKey::batches_from(prefix, moved(self.now, -OVERLAP));
        let pass = Pass {
            name: "open",
            prefix: ObjectKey::batches_prefix(prefix),
            after: self.position("open").max(self.first_open_hour()),
            before: Some(ObjectKey::hour_prefix(prefix, moved(self.now, AHEAD))),
            then: settled.clone(),
            stored_until: Some(moved(self.now, -AGE_MIN)),
            skip: None,
            pages_max: usize::MAX,
        };
        self.walk(pass, |reached| reached.min(settled.clone()), time)
            .await
    }

    async fn closed(&mut self, time: Time) -> Result<(), SweepError> {
        let sweep = &self.handler.sweep;
        let first = moved(self.now, -Duration::hours(sweep.hours.into()));
        let first = ObjectKey::hour_prefix(&sweep.prefix, first);
        let after = Some(self.position("closed")).filter(|position| !position.is_empty());
        let pass = Pass {
            name: "closed",
            prefix: ObjectKey::batches_prefix(&sweep.prefix),
            after: after.unwrap_or(first),
            before: Some(self.first_open_hour()),
            then: self.first_open_hour(),
            stored_until: None,
            skip: None,
            pages_max: usize::MAX,
        };
        if Some(&pass.after) < pass.before.as_ref() {
            self.walk(pass, |reached| reached, time).await?;
        }
        Ok(())
    }

    async fn rest(&mut self, time: Time) -> Result<(), SweepError> {
        let prefix = &self.handler.sweep.prefix;
        let batches = ObjectKey::batches_prefix(prefix);
        let behind = format!("{prefix}dt>");
        let pass = Pass {
            name: "rest",
            prefix: prefix.clone(),
            after: self.position("rest"),
            before: None,
            then: String::new(),
            stored_until: None,
            skip: Some((batches, behind)),
            pages_max: REST_PAGES,
        };
        self.walk(pass, |reached| reached, time).await
    }

    /// Lists page by page, and ingests what is missing of each. What it records is made by `recorded` of the last key up
    /// to which all is done.
    async fn walk(
        &mut self,
        mut pass: Pass,
        recorded: impl Fn(String) -> String,
        time: Time,
    ) -> Result<(), SweepError> {
        let mut is_at_end = false;
        let mut pages = 0;
        while !is_at_end && pages < pass.pages_max && time.is_left() {
            let objects = &self.handler.objects;
            let page = objects.list(self.bucket, &pass.prefix, &pass.after).await?;
            pages += 1;
            let has_more = page.has_more;
            let (reached, due) = pass.due(page);
            is_at_end = !has_more || reached.is_none();
            let stopped = self.take_missing(due, time).await?;
            if let Some(before) = stopped {
                // All before this one is done.
                pass.after = before.unwrap_or(pass.after);
                is_at_end = false;
                break;
            }
            if let Some(reached) = reached {
                pass.after = reached;
            }
            if is_at_end {
                pass.after = std::mem::take(&mut pass.then);
            }
            if pages % PAGES_RECORDED == 0 {
                self.record(pass.name, recorded(pass.after.clone())).await?;
            }
        }
        if !is_at_end && pages < pass.pages_max {
            tracing::warn!(pass = pass.name, "the next sweep goes on");
        }
        self.record(pass.name, recorded(pass.after)).await
    }

    /// Ingests those of the objects that are not. Where time ends: the last key before the first that was not tried,
    /// if there is one.
    async fn take_missing(
        &mut self,
        due: Vec<ObjectVersion>,
        time: Time,
    ) -> Result<Option<Option<String>>, SweepError> {
        let keys: Vec<_> = due.iter().map(|object| object.key.clone()).collect();
        let missing = self.handler.store.not_ingested(due).await?;
        let tried = self.ingest(&missing, time).await?;
        let Some(next) = missing.get(tried) else {
            return Ok(None);
        };
        let done = keys.iter().take_while(|key| **key < next.key).last();
        Ok(Some(done.map(ToString::to_string)))
    }

    /// How many were tried. One that failed is noted, to be tried again by later runs.
    async fn ingest(&mut self, missing: &[ObjectVersion], time: Time) -> Result<usize, SweepError> {
        let objects: Vec<_> = missing
            .iter()
            .map(|object| ObjectRef {
                bucket: self.bucket.to_owned(),
                key: object.key.clone(),
                etag: None,
            })
            .collect();
        let objects: Vec<_> = objects.iter().collect();
        let done = self.handler.ingest_all(&objects, time, self.tally).await;
        self.tally.swept += done.iter().filter(|done| **done).count();
        for (object, _) in missing.iter().zip(&done).filter(|(_, done)| !**done) {
            self.handler.store.defer(&self.journal, object).await?;
        }
        Ok(done.len())
    }

    async fn deferred(&mut self, time: Time) -> Result<(), SweepError> {
        let mut after: u64 = self.position("deferred").parse().unwrap_or(0);
        while time.is_left() {
            let store = &self.handler.store;
            let page = store.deferred(&self.journal, after, DEFERRED_PAGE).await?;
            let is_last = u32::try_from(page.len()) != Ok(DEFERRED_PAGE);
            let ids: Vec<_> = page.iter().map(|object| object.id).collect();
            let versions: Vec<_> = page.into_iter().map(|object| object.version).collect();
            let missing = store.not_ingested(versions.clone()).await?;
            let tried = self.ingest(&missing, time).await?;
            if let Some(next) = missing.get(tried) {
                let untried = versions.iter().position(|version| version == next);
                let last_tried = untried.and_then(|at| ids.get(at.checked_sub(1)?));
                after = last_tried.copied().unwrap_or(after);
                break;
            }
            after = ids.last().copied().filter(|_| !is_last).unwrap_or(0);
            if is_last {
                break;
            }
        }
        self.record("deferred", after.to_string()).await
    }

    /// To which objects may still be added.
    fn first_open_hour(&self) -> String {
        ObjectKey::hour_prefix(&self.handler.sweep.prefix, moved(self.now, -CLOSES_AFTER))
    }

    fn position(&self, pass: &str) -> String {
        self.positions.get(pass).cloned().unwrap_or_default()
    }

    async fn record(&mut self, pass: &str, position: String) -> Result<(), SweepError> {
        if self.position(pass) != position {
            let store = &self.handler.store;
            store.record_sweep(&self.journal, pass, &position).await?;
            self.positions.insert(pass.to_owned(), position);
        }
        Ok(())
    }
}

impl Pass {
    /// Up to which key a page reaches, unless the pass ends within it; and its objects that are to be looked up.
    fn due(&self, page: Page) -> (Option<String>, Vec<ObjectVersion>) {
        let is_past = |key: &str| self.before.as_deref().is_some_and(|before| key >= before);
        let is_skipped = |key: &str| {
            let skip = self.skip.as_ref();
            skip.is_some_and(|(prefix, _)| key.starts_with(prefix))
        };
        let last = page.objects.last().map(|object| object.key.as_str());
        let reached = match (last, &self.skip) {
            (Some(last), Some((_, behind))) if is_skipped(last) => Some(behind.clone()),
            (last, _) => last.filter(|last| !is_past(last)).map(str::to_owned),
        };
        let is_due = |object: &ObjectVersion| {
            let key = object.key.as_str();
            let is_old = self
                .stored_until
                .is_none_or(|until| object.stored_at <= until);
            is_old && !is_past(key) && !is_skipped(key) && !object.key.is_folder()
        };
        (reached, page.objects.into_iter().filter(is_due).collect())
    }
}

fn moved(at: Timestamp, by: Duration) -> Timestamp {
    Timestamp::new(at.to_utc().saturating_add(by))
}
