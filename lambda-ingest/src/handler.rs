//! One event: its work, and the answer that makes Lambda or SQS repeat just what failed.

use std::sync::atomic::{AtomicBool, Ordering};

use aws_lambda_events::sqs::SqsBatchResponse;
use futures::future::join;
use lambda_runtime::Diagnostic;
use payment_core::Timestamp;
use payment_core::event::{Event, EventError, Message, Named, ObjectRef};
use payment_store::{Backend, MySqlBackend, Store};
use program::chain;
use serde::Serialize;
use time::OffsetDateTime;

use crate::config::Sweep;
use crate::deadline::{Clock, Time};
use crate::ingest::{self, Content, IngestError, Ingested};
use crate::metrics::Tally;
use crate::objects::Objects;
use crate::sweep;

#[derive(Debug)]
pub struct Handler<O, B = MySqlBackend> {
    pub(crate) objects: O,
    pub(crate) store: Store<B>,
    pub(crate) sweep: Sweep,
    clock: Clock,
    started: AtomicBool,
}

/// The answer to an event. Lambda ignores it, but for messages of SQS.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    #[serde(flatten)]
    pub messages: Option<SqsBatchResponse>,
    #[serde(flatten)]
    pub tally: Tally,
}

/// Not all was done: Lambda is to send the event again, and at last to the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("the event can't be read")]
    Event(#[from] EventError),
    #[error(
        "of {objects} objects {failed} failed, which the log names, and {left} were not begun before the deadline"
    )]
    NotIngested {
        failed: usize,
        left: usize,
        objects: usize,
    },
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

    /// `deadline` is when Lambda ends the run, if that is known.
    pub async fn handle(
        &self,
        payload: &str,
        request_id: &str,
        deadline: Option<Timestamp>,
    ) -> Result<Answer, HandlerError> {
        let (tally, answer) = self.answer(payload, deadline).await;
        tally.emit(request_id, (self.clock)());
        answer.map(|messages| Answer { messages, tally })
    }

    /// What the event did, and what SQS is to be told of its messages.
    pub async fn answer(
        &self,
        payload: &str,
        deadline: Option<Timestamp>,
    ) -> (Tally, Result<Option<SqsBatchResponse>, HandlerError>) {
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
    ) -> Result<Option<SqsBatchResponse>, HandlerError> {
        let time = Time::until(deadline, self.clock);
        match Event::parse(payload)? {
            Event::Objects(named) => {
                let objects: Vec<_> = named.iter().flatten().collect();
                let done = self.ingest_all(&objects, time, tally).await;
                all_done(&named, &mut done.into_iter()).map(|()| None)
            }
            Event::Messages(messages) => Ok(Some(self.answer_each(messages, time, tally).await)),
            Event::Sweep => {
                Box::pin(sweep::run(self, (self.clock)(), time, tally)).await?;
                Ok(None)
            }
        }
    }

    /// Which objects are ingested, or gone, as far as there was time. Each is tried, whatever became of the one before.
    /// While a small one is inserted the next is read, so that S3 and the database work at the same time.
    pub(crate) async fn ingest_all(
        &self,
        objects: &[&ObjectRef],
        time: Time,
        tally: &mut Tally,
    ) -> Vec<bool> {
        let mut done = Vec::with_capacity(objects.len());
        let mut ahead = None;
        while let Some(object) = objects.get(done.len())
            && time.is_left()
        {
            // Boxed: futures of this depth are more than a stack wants to hold.
            let content = if let Some(content) = ahead.take() {
                content
            } else {
                let read = Box::pin(ingest::read(&self.objects, object));
                let read = time.within(read).await;
                read.unwrap_or(Err(IngestError::OutOfTime))
            };
            let is_small = content.as_ref().is_ok_and(Content::is_small);
            let next = objects.get(done.len() + 1).filter(|_| is_small);
            let record = Box::pin(async { ingest::record(&self.store, content?).await });
            let both = time
                .within(join(record, Box::pin(self.read_ahead(next))))
                .await;
            let (ingested, next) = both.unwrap_or((Err(IngestError::OutOfTime), None));
            ahead = next;
            done.push(self.take_note(object, ingested, tally));
        }
        done
    }

    async fn read_ahead(
        &self,
        object: Option<&&ObjectRef>,
    ) -> Option<Result<Content<'_, O>, IngestError>> {
        Some(ingest::read_ahead(&self.objects, object?).await)
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

    /// Messages whose objects are not all ingested, or were not begun before the deadline, come again.
    async fn answer_each(
        &self,
        messages: Vec<Message>,
        time: Time,
        tally: &mut Tally,
    ) -> SqsBatchResponse {
        let named = messages.iter().flat_map(|message| &message.objects);
        let objects: Vec<_> = named.flatten().collect();
        let mut done = self.ingest_all(&objects, time, tally).await.into_iter();
        let mut response = SqsBatchResponse::default();
        for Message { id, objects } in messages {
            if let Err(error) = all_done(&objects, &mut done) {
                tracing::error!(
                    message_id = id,
                    error = chain(&error),
                    "a message will come again"
                );
                response.add_failure(id);
            }
        }
        response
    }
}

/// Takes from `done` what became of the objects that these records name.
fn all_done(named: &[Named], done: &mut impl Iterator<Item = bool>) -> Result<(), HandlerError> {
    let unread: Vec<_> = named
        .iter()
        .filter_map(|named| named.as_ref().err())
        .collect();
    for error in &unread {
        tracing::error!(
            error = chain(error),
            "a record of the event was passed over"
        );
    }
    let objects = named.len() - unread.len();
    let done: Vec<_> = done.take(objects).collect();
    let failed = done.iter().filter(|done| !**done).count();
    let left = objects - done.len();
    if failed + left > 0 {
        return Err(HandlerError::NotIngested {
            failed,
            left,
            objects,
        });
    }
    unread
        .first()
        .map_or(Ok(()), |error| Err((*error).clone().into()))
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
