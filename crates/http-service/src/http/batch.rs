//! Batches: many payments in one request, within a memory of their own.
//!
//! What a batch takes is charged as it arrives and given back once its answer was sent. So batches can't fill this
//! machine however many come, however slowly they are sent, and however slowly their answers are read; and single
//! payments need nothing of that memory.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use hyper::body::{Frame, SizeHint};
use payment_core::{ErrorCode, batch};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use super::inbound::IDEMPOTENCY_KEY;
use super::{Refusal, body};
use crate::metrics::Metrics;

/// Says on an answer to a batch how many of its payments are durable: from tier to tier, for the log.
pub const PAYMENTS_ACCEPTED: HeaderName = HeaderName::from_static("x-payments-accepted");

/// Memory of all batches at work, in bytes: 32 of the largest, or some 500 of a hundred payments.
const MEMORY: usize = 64 * 1024 * 1024;

/// Memory of one payment while it waits, with its line of the answer, in bytes.
const PAYMENT: u32 = 1024;

/// How long a client may take to read an answer. One that takes longer finds it cut off.
const READ: Duration = Duration::from_secs(10);

/// An answer is handed to the connection in parts of this size, so that the connection buffers no more.
const PART: usize = 16 * 1024;

/// Room for batches.
#[derive(Debug, Clone)]
pub struct Batches(Arc<Semaphore>);

/// The body of a batch.
#[derive(Debug)]
pub struct Batch {
    pub body: Bytes,
    pub payments: NonZeroU32,
    memory: OwnedSemaphorePermit,
}

/// Whether a request brings a batch.
pub fn is_batch(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    value.is_some_and(batch::is_batch)
}

impl Batches {
    pub fn register(metrics: &mut Metrics) -> Self {
        Self::with_memory(MEMORY, metrics)
    }

    /// Another limit than 64 MiB.
    pub fn with_memory(bytes: usize, metrics: &mut Metrics) -> Self {
        let memory = Arc::new(Semaphore::new(bytes));
        let free = Arc::clone(&memory);
        let help = "Memory of the batches at work, in bytes.";
        metrics.show("batches_bytes", help, move || {
            bytes - free.available_permits()
        });
        Self(memory)
    }

    /// Reads a batch, which is refused as a whole only if it is too large or has no payment.
    pub async fn read(&self, request: Request<Body>) -> Result<Batch, Refusal> {
        let (head, body) = request.into_parts();
        if head.headers.contains_key(IDEMPOTENCY_KEY) {
            let detail = "a batch takes no header Idempotency-Key; give each payment its own id";
            return Err(Refusal::new(ErrorCode::IdMismatch, detail));
        }
        let mut charged = Charged {
            body,
            free: Arc::clone(&self.0),
            memory: charge(&self.0, 0)?,
        };
        let body = body::read(&head, &mut charged, batch::BYTES_MAX).await?;
        let payments = count(&body)?;
        let mut memory = charged.memory;
        memory.merge(charge(&self.0, payments.get() * PAYMENT)?);
        Ok(Batch {
            body,
            payments,
            memory,
        })
    }
}

impl Batch {
    /// Answers with these lines. The batch's memory is given back once they were sent.
    pub fn answer(self, lines: impl Into<Bytes>) -> Response {
        let lines = Lines::new(lines.into(), self.memory);
        let media_type = HeaderValue::from_static(batch::MEDIA_TYPE);
        ([(CONTENT_TYPE, media_type)], Body::new(lines)).into_response()
    }
}

fn count(body: &[u8]) -> Result<NonZeroU32, Refusal> {
    let counted = batch::lines(body).take(batch::PAYMENTS_MAX + 1).count();
    if counted > batch::PAYMENTS_MAX {
        let detail = format!("a batch must have at most {} payments", batch::PAYMENTS_MAX);
        return Err(Refusal::new(ErrorCode::BodyTooLarge, detail));
    }
    let counted = u32::try_from(counted).ok().and_then(NonZeroU32::new);
    counted.ok_or_else(|| {
        Refusal::new(
            ErrorCode::MalformedJson,
            "the batch has no payment; send one JSON object a line",
        )
    })
}

fn charge(free: &Arc<Semaphore>, bytes: u32) -> Result<OwnedSemaphorePermit, Refusal> {
    let memory = Arc::clone(free).try_acquire_many_owned(bytes);
    memory.map_err(|_| {
        Refusal::new(
            ErrorCode::Overloaded,
            "too many batches are at work; send it again in a moment",
        )
    })
}

/// A body that is charged as it arrives.
struct Charged {
    body: Body,
    free: Arc<Semaphore>,
    memory: OwnedSemaphorePermit,
}

impl hyper::body::Body for Charged {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        let frame = frame.transpose()?;
        let bytes = frame
            .as_ref()
            .and_then(Frame::data_ref)
            .map_or(0, Bytes::len);
        // A part of more than 4 GiB is more than there is.
        let memory = charge(&self.free, u32::try_from(bytes).unwrap_or(u32::MAX))?;
        self.memory.merge(memory);
        Poll::Ready(frame.map(Ok))
    }
}

/// An answer that is not sent yet, and the memory of its batch.
struct Lines {
    rest: Arc<Mutex<Option<(Bytes, OwnedSemaphorePermit)>>>,
    /// Tells that it was sent.
    _sent: oneshot::Sender<()>,
}

#[derive(Debug, thiserror::Error)]
#[error("the client did not read the answer to its batch")]
struct NotRead;

impl Lines {
    fn new(lines: Bytes, memory: OwnedSemaphorePermit) -> Self {
        let rest = Arc::new(Mutex::new(Some((lines, memory))));
        let (sender, sent) = oneshot::channel();
        let held = Arc::downgrade(&rest);
        // A connection that is not read asks for no more parts, and so can't notice the time.
        tokio::spawn(async move {
            if timeout(READ, sent).await.is_err()
                && let Some(held) = held.upgrade()
            {
                lock(&held).take();
            }
        });
        Self {
            rest,
            _sent: sender,
        }
    }
}

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = NotRead;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, NotRead>>> {
        let mut rest = lock(&self.rest);
        Poll::Ready(match rest.as_mut() {
            None => Some(Err(NotRead)),
            Some((rest, _)) if rest.is_empty() => None,
            Some((rest, _)) => {
                let part = rest.split_to(rest.len().min(PART));
                Some(Ok(Frame::data(part)))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        matches!(&*lock(&self.rest), Some((rest, _)) if rest.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        let rest = lock(&self.rest);
        let bytes = rest.as_ref().map_or(0, |(rest, _)| rest.len());
        SizeHint::with_exact(u64::try_from(bytes).unwrap_or(u64::MAX))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
