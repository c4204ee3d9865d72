//! One event: its work, and the answer that makes Lambda or SQS repeat just what failed.

use std::sync::atomic::{AtomicBool, Ordering};

use lambda_runtime::Diagnostic;
use payment_core::Timestamp;
use payment_core::event::{Event, EventError, Message, ObjectRef};
use payment_store::{Backend, MySqlBackend, Store};
use serde::Serialize;
use tier_kit::telemetry::chain;
use time::OffsetDateTime;

use crate::config::Sweep;
use crate::ingest::{Ingested, ingest};
use crate::metrics::Tally;
use crate::objects::Objects;
use crate::sweep;

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

    pub async fn handle(&self, payload: &str, request_id: &str) -> Result<Answer, HandlerError> {
        let (tally, answer) = self.answer(payload).await;
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
    ) -> (Tally, Result<Option<Vec<ItemFailure>>, HandlerError>) {
        let mut tally = Tally {
            cold_start: !self.started.swap(true, Ordering::Relaxed),
            ..Tally::default()
        };
        let answer = self.work(payload, &mut tally).await;
        (tally, answer)
    }

    async fn work(
        &self,
        payload: &str,
        tally: &mut Tally,
    ) -> Result<Option<Vec<ItemFailure>>, HandlerError> {
        match Event::parse(payload)? {
            Event::Objects(objects) => self.ingest_all(&objects, tally).await.map(|()| None),
            Event::Messages(messages) => Ok(Some(self.answer_each(messages, tally).await)),
            Event::Sweep => {
                let now = (self.clock)();
                let missing =
                    sweep::find_missing(&self.objects, &self.store, &self.sweep, now).await?;
                tally.swept = missing.len();
                self.ingest_all(&missing, tally).await.map(|()| None)
            }
        }
    }

    /// Every object is tried, whatever became of the one before.
    async fn ingest_all(
        &self,
        objects: &[ObjectRef],
        tally: &mut Tally,
    ) -> Result<(), HandlerError> {
        let mut failed = 0;
        for object in objects {
            let key = object.key.as_str();
            match ingest(&self.objects, &self.store, object).await {
                Ok(ingested) => {
                    log_ingested(key, &ingested);
                    tally.add(&ingested, (self.clock)());
                }
                Err(error) => {
                    failed += 1;
                    tally.failed_objects += 1;
                    tracing::error!(
                        s3_key = key,
                        error = chain(&error),
                        "an object was not ingested"
                    );
                }
            }
        }
        match failed {
            0 => Ok(()),
            failed => Err(HandlerError::NotIngested {
                failed,
                objects: objects.len(),
            }),
        }
    }

    async fn answer_each(&self, messages: Vec<Message>, tally: &mut Tally) -> Vec<ItemFailure> {
        let mut failures = Vec::new();
        for Message { id, objects } in messages {
            let done = match objects {
                Ok(objects) => self.ingest_all(&objects, tally).await,
                Err(error) => Err(error.into()),
            };
            if let Err(error) = done {
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

fn log_ingested(s3_key: &str, ingested: &Ingested) {
    match ingested {
        Ingested::Stored { outcome, .. } => tracing::info!(
            s3_key,
            rows = outcome.rows,
            duplicates = outcome.duplicates,
            conflicts = outcome.conflicts,
            rejects = outcome.rejects,
            "ingested"
        ),
        Ingested::Already => tracing::info!(s3_key, "was ingested before"),
        Ingested::Gone => tracing::warn!(s3_key, "is gone"),
    }
}

fn now() -> Timestamp {
    Timestamp::new(OffsetDateTime::now_utc())
}
