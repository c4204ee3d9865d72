//! One event: its work, and the answer that makes Lambda or SQS repeat just what failed.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::join;
use lambda_runtime::Diagnostic;
use payment_core::Timestamp;
use payment_core::event::{Event, EventError, Message, ObjectRef};
use payment_store::{Backend, MySqlBackend, Store};
use serde::Serialize;
use tier_kit::telemetry::chain;
use time::{Duration, OffsetDateTime};

use crate::config::Sweep;
use crate::ingest::{self, Content, IngestError, Ingested};
use crate::metrics::Tally;
use crate::objects::Objects;
use crate::sweep;

/// A sweep takes no further object this shortly before its deadline. One object takes milliseconds, and seconds
/// where the database hesitates.
const SWEEP_MARGIN: Duration = Duration::seconds(5);

#[derive(Debug)]
pub struct Handler<O, B = MySqlBackend> {
    objects: O,
    store: Store<B>,
    sweep: Sweep,
    clock: Clock,
    started: AtomicBool,
}

/// Says what time it is.
pub type Clock = fn() -> Timestamp;

/// The answer to an event. Lambda ignores it, but for messages of SQS.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_item_failures: Option<Vec<ItemFailure>>,
    #[serde(flatten)]
    pub tally: Tally,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    pub item_identifier: String,
}

/// Not all was done: Lambda is to send the event again, and at last to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("the event can't be read")]
    Event(#[from] EventError),
    #[error("{failed} of {objects} objects were not ingested; the log names them")]
    NotIngested { failed: usize, objects: usize },
    #[error("the sweep could not be done")]
    Sweep(#[from] sweep::SweepError),
}

/// Lambda reports a type and a message. Neither holds anything of a payment.
impl From<HandlerError> for Diagnostic {
    fn from(error: HandlerError) -> Self {
        let error_type = match error {
            HandlerError::Event(_) => "EventNotUnderstood",
            HandlerError::NotIngested { .. } => "ObjectsNotIngested",
            HandlerError::Sweep(_) => "SweepFailed",
        };
        Self {
            error_type: error_type.to_owned(),
            error_message: chain(&error),
        }
    }
}

impl<O: Objects, B: Backend> Handler<O, B> {
    pub fn new(objects: O, store: Store<B>, sweep: Sweep) -> Self {
        Self::with_clock(objects, store, sweep, now)
    }

    pub fn with_clock(objects: O, store: Store<B>, sweep: Sweep, clock: Clock) -> Self {
        Self {
            objects,
            store,
            sweep,
            clock,
            started: AtomicBool::new(false),
        }
    }

    /// `deadline` is when Lambda ends the run, where that is known.
    pub async fn handle(
        &self,
        payload: &str,
        request_id: &str,
        deadline: Option<Timestamp>,
    ) -> Result<Answer, HandlerError> {
        let (tally, answer) = self.answer(payload, deadline).await;
        tally.emit(request_id, (self.clock)());
        answer.map(|batch_item_failures| Answer {
            batch_item_failures,
            tally,
        })
    }

    /// What the event did, and what SQS is to be told of its messages.
    pub async fn answer(
        &self,
        payload: &str,
        deadline: Option<Timestamp>,
    ) -> (Tally, Result<Option<Vec<ItemFailure>>, HandlerError>) {
        let mut tally = Tally {
            cold_start: !self.started.swap(true, Ordering::Relaxed),
            ..Tally::default()
        };
        let answer = self.work(payload, deadline, &mut tally).await;
        (tally, answer)
    }

    async fn work(
        &self,
        payload: &str,
        deadline: Option<Timestamp>,
        tally: &mut Tally,
    ) -> Result<Option<Vec<ItemFailure>>, HandlerError> {
        match Event::parse(payload)? {
            Event::Objects(objects) => {
                let objects: Vec<_> = objects.iter().collect();
                let done = self.ingest_all(&objects, || true, tally).await;
                all_done(&done).map(|()| None)
            }
            Event::Messages(messages) => Ok(Some(self.answer_each(messages, tally).await)),
            Event::Sweep => self.sweep(deadline, tally).await.map(|()| None),
        }
    }

    /// Ingests what was never ingested, for as long as there is time. After a long outage there may be more than one
    /// run can do: it ends in order, and the next goes on.
    async fn sweep(
        &self,
        deadline: Option<Timestamp>,
        tally: &mut Tally,
    ) -> Result<(), HandlerError> {
        let now = (self.clock)();
        let missing = sweep::find_missing(&self.objects, &self.store, &self.sweep, now).await?;
        let in_time = || {
            let end = (self.clock)().to_utc() + SWEEP_MARGIN;
            deadline.is_none_or(|deadline| end < deadline.to_utc())
        };
        let missing: Vec<_> = missing.iter().collect();
        let done = self.ingest_all(&missing, in_time, tally).await;
        tally.swept = done.len();
        let left = missing.len() - done.len();
        if left > 0 {
            tracing::warn!(left, "the next sweep goes on");
        }
        all_done(&done)
    }

    /// Which objects are ingested, or gone. Each is tried, whatever became of the one before, for as long as `go_on`
    /// allows. While one is inserted the next is read, so that S3 and the database work at the same time.
    async fn ingest_all(
        &self,
        objects: &[&ObjectRef],
        go_on: impl Fn() -> bool,
        tally: &mut Tally,
    ) -> Vec<bool> {
        let mut done = Vec::with_capacity(objects.len());
        let mut ahead = self.read(objects.first()).await;
        while let Some((object, content)) = objects.get(done.len()).zip(ahead)
            && go_on()
        {
            let record = async { ingest::record(&self.store, content?).await };
            let next = self.read(objects.get(done.len() + 1));
            let (ingested, next) = join(record, next).await;
            ahead = next;
            done.push(self.take_note(object, ingested, tally));
        }
        done
    }

    async fn read(&self, object: Option<&&ObjectRef>) -> Option<Result<Content, IngestError>> {
        Some(ingest::read(&self.objects, object?).await)
    }

    /// Whether the object is ingested, or gone.
    fn take_note(
        &self,
        object: &ObjectRef,
        ingested: Result<Ingested, IngestError>,
        tally: &mut Tally,
    ) -> bool {
        let key = object.key.as_str();
        match ingested {
            Ok(ingested) => {
                log_ingested(key, &ingested);
                tally.add(&ingested, (self.clock)());
                true
            }
            Err(error) => {
                tally.failed_objects += 1;
                tracing::error!(
                    s3_key = key,
                    error = chain(&error),
                    "an object was not ingested"
                );
                false
            }
        }
    }

    async fn answer_each(&self, messages: Vec<Message>, tally: &mut Tally) -> Vec<ItemFailure> {
        let readable = messages.iter().filter_map(|m| m.objects.as_ref().ok());
        let objects: Vec<_> = readable.flatten().collect();
        let mut done = self.ingest_all(&objects, || true, tally).await.into_iter();
        let mut failures = Vec::new();
        for Message { id, objects } in messages {
            let outcome = match objects {
                Ok(objects) => all_done(&done.by_ref().take(objects.len()).collect::<Vec<_>>()),
                Err(error) => Err(error.into()),
            };
            if let Err(error) = outcome {
                tracing::error!(
                    message_id = id,
                    error = chain(&error),
                    "a message will come again"
                );
                failures.push(ItemFailure {
                    item_identifier: id,
                });
            }
        }
        failures
    }
}

fn all_done(done: &[bool]) -> Result<(), HandlerError> {
    match done.iter().filter(|done| !**done).count() {
        0 => Ok(()),
        failed => Err(HandlerError::NotIngested {
            failed,
            objects: done.len(),
        }),
    }
}

fn log_ingested(s3_key: &str, ingested: &Ingested) {
    match ingested {
        Ingested::Stored { outcome, ids, .. } => tracing::info!(
            s3_key,
            rows = outcome.rows,
            duplicates = outcome.duplicates,
            conflicts = outcome.conflicts,
            rejects = outcome.rejects,
            request_ids = ids.requests,
            trace_ids = ids.traces,
            "ingested"
        ),
        Ingested::Already => tracing::info!(s3_key, "was ingested before"),
        Ingested::Gone => tracing::warn!(s3_key, "is gone"),
    }
}

fn now() -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc())
}
