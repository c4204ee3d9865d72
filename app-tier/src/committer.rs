//! Group commit: all payments that wait share one PUT.
//!
//! While no PUT is at work, a payment is sent at once. Otherwise payments gather until that PUT ends, and the next
//! takes them all; so batches grow with load by themselves, and each dollar buys more. None waits for long: a PUT that
//! is slow is overtaken, by a slot of those that are free. No payment is accepted before its PUT is confirmed (promise
//! P1), and a PUT that fails fails only its own payments. While S3 is away, payments are refused before they are
//! queued, those that wait are let go, and empty objects are put to find out when it is back.
//!
//! Each batch begins with a header, which names earlier ones and their hashes ([`payment_core::chain`]). Where no batch
//! follows, a header alone is put.

mod chain;
mod put;
mod worker;

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use http_service::metrics::Metrics;
use payment_core::{LogRecord, PaymentKey, Timestamp};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;

use self::worker::Worker;
use crate::breaker::Breaker;
use crate::counters::Payments;
use crate::journal::Journal;
use crate::records::{Holders, Records};
use crate::ticket::{Failure, Outcome, Receipt, Ticket};

/// Records that may wait. At 16 KiB a body the bytes below are the narrower bound.
const QUEUE_RECORDS_MAX: usize = 8192;

/// Bytes of records that wait or are on their way to S3.
const QUEUE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What batches may fill of the queue, so that the other half stays free for single payments. A payment of a batch
/// takes its own bytes of it, and [`BATCHED_BYTES_MIN`] at least: half of the records, too.
const BATCHED_BYTES_MAX: usize = QUEUE_BYTES_MAX / 2;
const BATCHED_BYTES_MIN: usize = BATCHED_BYTES_MAX / (QUEUE_RECORDS_MAX / 2);

/// Repeats that may look for their row at one time. More are answered from memory.
const ROW_LOOK_UPS_MAX: usize = 16;

/// How payments are laid out in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `<prefix>dt=…/hh=…/<uuid>-<node>.ndjson`, one line a payment.
    Batch,
    /// `<prefix><id>.json`, one payment; the key claims the id. A client's are in a folder of its own
    /// ([`ObjectKey::single`](payment_core::ObjectKey::single)).
    Object,
}

/// How payments become objects.
#[derive(Debug, Clone)]
pub struct Settings {
    pub prefix: String,
    pub layout: Layout,
    /// PUTs at work at one time.
    pub puts_max: usize,
    /// How long a batch waits for company after its first payment.
    pub linger: Duration,
    /// Whether batches begin with headers, which older functions do not know. [`Layout::Object`] has none.
    pub headers: bool,
}

/// Nothing was kept of the payment.
#[derive(Debug)]
pub enum NotQueued {
    /// No more payments can wait.
    QueueFull,
    StorageAway,
}

/// Gathers payments into objects and puts them; a ticket gets its receipt once S3 confirmed.
#[derive(Debug)]
pub struct Committer {
    queue: mpsc::Sender<Pending>,
    bytes: Arc<Semaphore>,
    batched: Arc<Semaphore>,
    bursts: Bursts,
    breaker: Breaker,
    slots: Arc<Semaphore>,
    puts_max: usize,
    closing: Arc<Notify>,
    worker: Mutex<Option<JoinHandle<()>>>,
    records: Arc<dyn Records>,
    row_look_ups: Semaphore,
    payments: Arc<Payments>,
}

impl Committer {
    /// Starts the worker that puts what is submitted.
    pub fn start<J: Journal, R: Records>(
        journal: J,
        records: R,
        settings: Settings,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        let (queue, receiver) = mpsc::channel(QUEUE_RECORDS_MAX);
        let closing = Arc::new(Notify::new());
        let breaker = Breaker::default();
        let puts_max = settings.puts_max;
        let records: Arc<dyn Records> = Arc::new(records);
        let shared = Arc::clone(&records);
        let worker = Worker::new(journal, shared, settings, Box::new(clock), breaker.clone());
        let (slots, bursts) = (Arc::clone(&worker.slots), worker.bursts.clone());
        let worker = tokio::spawn(worker.run(receiver, Arc::clone(&closing)));
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
        Self {
            queue,
            bytes,
            batched: Arc::new(Semaphore::new(BATCHED_BYTES_MAX)),
            bursts,
            breaker,
            slots,
            puts_max,
            closing,
            worker: Mutex::new(Some(worker)),
            records,
            row_look_ups: Semaphore::new(ROW_LOOK_UPS_MAX),
            payments: Arc::default(),
        }
    }

    /// Shows the payments, the queue, the PUTs, and whether S3 is away.
    pub fn register(&self, metrics: &mut Metrics) {
        self.payments.register(metrics);
        self.breaker.register(metrics);
        let queue = self.queue.clone().downgrade();
        metrics.show(
            "queue_records",
            "Payments that wait for a PUT.",
            move || {
                let queue = queue.upgrade();
                queue.map_or(0, |queue| queue.max_capacity() - queue.capacity())
            },
        );
        let bytes = Arc::clone(&self.bytes);
        let help = "Bytes of payments that wait or are on their way to S3.";
        metrics.show("queue_bytes", help, move || {
            QUEUE_BYTES_MAX - bytes.available_permits()
        });
        let (slots, max) = (Arc::clone(&self.slots), self.puts_max);
        metrics.show("puts_in_flight", "PUTs at work.", move || {
            max - slots.available_permits()
        });
    }

    /// Knows whether S3 is away.
    pub fn breaker(&self) -> Breaker {
        self.breaker.clone()
    }

    pub(crate) fn payments(&self) -> &Payments {
        &self.payments
    }

    /// The rows of these payments, where there are some and that can be said soon.
    pub(crate) async fn rows_of(&self, payments: &[PaymentKey]) -> Holders {
        match self.row_look_ups.try_acquire() {
            Ok(_place) => self.records.holders(payments).await,
            Err(_) => Holders::default(),
        }
    }

    /// Waits for room for the payments of a batch, which have so many bytes each.
    pub(crate) async fn batch_place(&self, lines: impl Iterator<Item = usize>) -> BatchPlace {
        let bytes: usize = lines.map(batched_bytes).sum();
        let bytes = u32::try_from(bytes.min(BATCHED_BYTES_MAX)).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.batched).acquire_many_owned(bytes).await;
        // The semaphore is never closed.
        BatchPlace(place.ok())
    }

    /// A record that can be queued.
    pub(crate) fn prepare(
        &self,
        record: &LogRecord,
        receipt: Receipt,
        ticket: Arc<Ticket>,
        place: Option<OwnedSemaphorePermit>,
    ) -> Pending {
        Pending {
            payment: record.payment.key().clone(),
            line: record.to_line(),
            receipt,
            ticket,
            payments: Arc::clone(&self.payments),
            bytes: None,
            _batch_place: place,
        }
    }

    /// Queues a record without waiting. Its outcome will be on the ticket, even if it is refused here; then it is said
    /// whose it was, too.
    pub(crate) fn queue(&self, mut pending: Pending) -> Result<(), (NotQueued, PaymentKey)> {
        if self.breaker.is_open() {
            return Err((NotQueued::StorageAway, pending.payment.clone()));
        }
        let full = |pending: &Pending| (NotQueued::QueueFull, pending.payment.clone());
        let size = u32::try_from(pending.line.len()).map_err(|_| full(&pending))?;
        let share = Arc::clone(&self.bytes).try_acquire_many_owned(size);
        pending.bytes = Some(share.map_err(|_| full(&pending))?);
        self.queue
            .try_send(pending)
            .map_err(|error| full(&error.into_inner()))
    }

    /// While it is held, the worker gathers nothing: what is queued meanwhile shares a PUT.
    pub(crate) fn burst(&self) -> impl Drop + '_ {
        self.bursts.hold()
    }

    /// Takes no more records and returns once those that wait have their outcome.
    pub async fn close(&self) {
        self.closing.notify_one();
        if let Some(worker) = self.worker.lock().await.take()
            && let Err(error) = worker.await
        {
            tracing::error!(error = %error, "the committer broke");
        }
    }
}

/// Keeps together what one request queues, though the worker is on another core. Held for as long as it takes to queue
/// a batch or to gather one, and by no single payment.
#[derive(Debug, Clone, Default)]
struct Bursts(Arc<std::sync::Mutex<()>>);

impl Bursts {
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room of one batch in the queue.
#[derive(Debug, Default)]
pub struct BatchPlace(Option<OwnedSemaphorePermit>);

impl BatchPlace {
    /// The part of one payment.
    pub(crate) fn part(&mut self, line_bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.0.as_mut()?.split(batched_bytes(line_bytes))
    }
}

fn batched_bytes(line: usize) -> usize {
    line.max(BATCHED_BYTES_MIN)
}

/// A record in the queue. Dropped without an outcome, it settles as unconfirmed, so that nobody waits forever.
#[derive(Debug)]
pub(crate) struct Pending {
    payment: PaymentKey,
    line: String,
    receipt: Receipt,
    ticket: Arc<Ticket>,
    payments: Arc<Payments>,
    /// Its share of the queue's bytes, given back when it is dropped.
    bytes: Option<OwnedSemaphorePermit>,
    /// Its share of what batches may fill.
    _batch_place: Option<OwnedSemaphorePermit>,
}

impl Pending {
    fn confirm(self) {
        let receipt = self.receipt.clone();
        self.settle(Ok(receipt));
    }

    /// Counted here, since the client may be gone by now. Another one's receipt makes it a repeat.
    fn settle(self, outcome: Outcome) {
        match &outcome {
            Ok(receipt) if *receipt == self.receipt => self.payments.accepted(),
            Ok(_) => self.payments.replayed(),
            Err(_) => {}
        }
        self.ticket.settle(outcome);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.ticket.settle(Err(Failure::Unconfirmed));
    }
}
