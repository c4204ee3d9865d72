//! The sweep over a journal of millions of objects, which are generated as they are listed, by the real handler in
//! simulated time: how long a run takes, and how many requests it costs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lambda_ingest::config::Sweep;
use lambda_ingest::handler::Handler;
use lambda_ingest::objects::{Body, ObjectError, Objects, Opened, Page};
use payment_core::event::ObjectRef;
use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};
use payment_store::Store;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::database::Model;
use crate::run::PREFIX;
use crate::world::World;
use crate::{bucket, clock, event};

/// Keys per page of a listing, as in S3.
const PAGE: usize = 1000;

/// Latency of a LIST request.
const LIST_TIME: Duration = Duration::from_millis(150);
const GET_TIME: Duration = Duration::from_millis(30);

/// Schedule and timeout of the function, as the notes set them.
const EVERY: Duration = Duration::from_mins(5);
const TIMEOUT: Duration = Duration::from_mins(1);

/// One in this many objects has lost its event.
const LOST_ONE_IN: u64 = 9973;

/// One in this many of those lost objects fails whenever it is read.
const POISON_ONE_IN: u64 = 3;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub hours_before: u32,
    pub per_second: u32,
    pub runs: usize,
}

/// What one run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub lists: usize,
    pub gets: usize,
    pub took: Duration,
    pub went_well: bool,
    /// Objects of this run's and the previous run's period that are still not ingested, except those that always fail.
    pub lost: usize,
}

/// The objects of the whole period from `begin` on, one each `every`.
#[derive(Debug, Clone)]
struct Generated {
    begin: Timestamp,
    every: Duration,
    lists: Arc<AtomicUsize>,
    gets: Arc<AtomicUsize>,
}

#[derive(Debug)]
struct Line(Option<Bytes>);

impl Body for Line {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        Ok(self.0.take())
    }
}

/// Executes the scheduled runs, one after the other.
pub fn runs(options: Options) -> io::Result<Vec<Run>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(schedule(options)))
}

async fn schedule(options: Options) -> Vec<Run> {
    clock::begin();
    let before = Duration::from_hours(1) * options.hours_before;
    let objects = Generated {
        begin: Timestamp::new(clock::now().to_utc() - before),
        every: Duration::from_secs(1) / options.per_second,
        lists: Arc::default(),
        gets: Arc::default(),
    };
    let database = Model::new(&World::calm(0)).assuming(|key| !is_lost(number(key)));
    let sweep = Sweep {
        bucket: Some(bucket::NAME.to_owned()),
        prefix: PREFIX.to_owned(),
        hours: 24,
    };
    let store = Store::over(database.clone());
    let handler = Handler::with_clock(objects.clone(), store, sweep, clock::now);
    let mut runs = Vec::new();
    for _ in 0..options.runs {
        let (lists, gets) = (objects.lists(), objects.gets());
        let (began, at) = (Instant::now(), clock::now());
        let deadline = Timestamp::new(at.to_utc() + TIMEOUT);
        let (_, answer) = handler
            .answer(&event::schedule().to_string(), Some(deadline))
            .await;
        let took = began.elapsed();
        // An event is made up for by the second run after it was lost.
        let until = Timestamp::new(at.to_utc() - EVERY);
        let from = Timestamp::new(until.to_utc() - EVERY);
        let recorded = database.recorded().objects;
        let range = objects.first_at(from)..objects.first_at(until);
        let lost = range.filter(|n| is_lost(*n) && !is_poison(*n)).filter(|n| {
            let key = objects.key(*n);
            !recorded.keys().any(|version| version.key == key.as_str())
        });
        runs.push(Run {
            lists: objects.lists() - lists,
            gets: objects.gets() - gets,
            took,
            went_well: answer.is_ok(),
            lost: lost.count(),
        });
        sleep(EVERY.saturating_sub(took)).await;
    }
    runs
}

fn is_lost(number: u64) -> bool {
    number.is_multiple_of(LOST_ONE_IN)
}

fn is_poison(number: u64) -> bool {
    (number / LOST_ONE_IN).is_multiple_of(POISON_ONE_IN)
}

/// Returns the object number that a key ends in.
fn number(key: &str) -> u64 {
    let digits = key
        .strip_suffix(".ndjson")
        .and_then(|key| key.rsplit('-').next());
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

impl Generated {
    fn lists(&self) -> usize {
        self.lists.load(Ordering::Relaxed)
    }

    fn gets(&self) -> usize {
        self.gets.load(Ordering::Relaxed)
    }

    /// Returns the first object written at that time or later.
    fn first_at(&self, at: Timestamp) -> u64 {
        let since = (at.to_utc() - self.begin.to_utc())
            .try_into()
            .unwrap_or(Duration::ZERO);
        u64::try_from(since.as_nanos().div_ceil(self.every.as_nanos())).unwrap_or(u64::MAX)
    }

    fn written_at(&self, number: u64) -> Timestamp {
        let nanos = u64::try_from(self.every.as_nanos()).unwrap_or(u64::MAX);
        Timestamp::new(self.begin.to_utc() + Duration::from_nanos(nanos * number))
    }

    fn key(&self, number: u64) -> ObjectKey {
        let unique = Uuid::from_u128(0);
        ObjectKey::batch(PREFIX, self.written_at(number), unique, &number.to_string())
    }

    fn version(&self, number: u64) -> ObjectVersion {
        ObjectVersion {
            key: self.key(number),
            etag: ETag::parse("\"once\""),
            stored_at: self.written_at(number),
        }
    }
}

impl Objects for Generated {
    type Body = Line;

    async fn open(&self, object: &ObjectRef) -> Result<Opened<Line>, ObjectError> {
        sleep(GET_TIME).await;
        self.gets.fetch_add(1, Ordering::Relaxed);
        let number = number(object.key.as_str());
        if is_poison(number) {
            return Err(ObjectError::Failed("500 InternalError".to_owned()));
        }
        let line = format!("{{\"id\":\"p-{number}\"}}\n");
        Ok(Opened {
            version: self.version(number),
            bytes: None,
            body: Line(Some(line.into())),
        })
    }

    async fn list(&self, _: &str, prefix: &str, after: &str) -> Result<Page, ObjectError> {
        sleep(LIST_TIME).await;
        self.lists.fetch_add(1, Ordering::Relaxed);
        let end = self.first_at(clock::now());
        let (mut low, mut high) = (0, end);
        while low < high {
            let middle = low.midpoint(high);
            if self.key(middle).as_str() > after {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let objects: Vec<_> = (low..end)
            .take(PAGE)
            .map(|number| self.version(number))
            .filter(|object| object.key.as_str().starts_with(prefix))
            .collect();
        let has_more = u64::try_from(PAGE).is_ok_and(|page| low + page < end);
        Ok(Page { objects, has_more })
    }
}
