//! Group commit: all payments that wait share one PUT.
//!
//! While no PUT is at work, a payment is sent at once. Otherwise payments gather until that PUT ends, and the next
//! takes them all; so batches grow with load by themselves, and each dollar buys more. None waits for long: a PUT that
//! is slow is overtaken, by a slot of those that are free. Nothing is answered with
//! yes before its PUT is confirmed (promise P1), and a PUT that fails fails only its own payments. While S3 is
//! away, payments are refused before they are queued, those that wait are let go, and empty objects are put to
//! find out when it is back.
//!
//! Each batch begins with a header, which names earlier ones and their hashes ([`payment_core::chain`]). Where no batch
//! follows, a header alone is put.

mod chain;
mod put;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_service::metrics::Metrics;
use payment_core::chain::{Node, Purpose, RunId};
use payment_core::{LogRecord, ObjectKey, PaymentKey, Timestamp};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use uuid::Uuid;

use self::chain::Chain;
use self::put::Object;
use crate::breaker::{Attempt, Breaker};
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

/// Records in one object: what the function inserts in two statements.
const BATCH_RECORDS_MAX: usize = 1000;

/// A batch takes no further record past this size.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// How long payments gather behind a PUT that is at work. It bounds what a slow PUT costs those behind it; a common
/// one takes 20 to 60 ms.
const BEHIND_A_PUT: Duration = Duration::from_millis(50);

/// Repeats that may look for their row at one time. More are answered from memory.
const ROW_LOOK_UPS_MAX: usize = 16;

/// From the end of a probe to the next.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// How payments are laid out in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `<prefix>dt=…/hh=…/<uuid>-<node>.ndjson`, one line a payment.
    Batch,
    /// `<prefix><id>.json`, one payment; the key claims the id. A client's are in a folder of its own
    /// ([`ObjectKey::single`]).
    Object,
}

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

#[derive(Debug)]
pub struct Committer {
    queue: mpsc::Sender<Pending>,
    bytes: Arc<Semaphore>,
    batched: Arc<Semaphore>,
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
        let slots = Arc::clone(&worker.slots);
        let worker = tokio::spawn(worker.run(receiver, Arc::clone(&closing)));
        let bytes = Arc::new(Semaphore::new(QUEUE_BYTES_MAX));
        Self {
            queue,
            bytes,
            batched: Arc::new(Semaphore::new(BATCHED_BYTES_MAX)),
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

/// The time by this machine.
type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Takes batches from the queue and starts their PUTs.
struct Worker<J> {
    journal: Arc<J>,
    records: Arc<dyn Records>,
    settings: Settings,
    /// For headers, and for the keys of what holds no payment; a batch has its first payment's time.
    clock: Clock,
    slots: Arc<Semaphore>,
    breaker: Breaker,
    /// Names this process in keys.
    node: Node,
    chain: Option<Chain>,
}

impl<J: Journal> Worker<J> {
    fn new(
        journal: J,
        records: Arc<dyn Records>,
        settings: Settings,
        clock: Clock,
        breaker: Breaker,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(settings.puts_max));
        let node = Node::new(Uuid::new_v4().as_fields().0);
        let is_chained = settings.headers && settings.layout == Layout::Batch;
        let run = RunId::new(Uuid::now_v7()).filter(|_| is_chained);
        tracing::info!(
            %node,
            run = run.map(|run| run.to_string()),
            layout = ?settings.layout,
            puts_max = settings.puts_max,
            "group commit"
        );
        Self {
            journal: Arc::new(journal),
            records,
            settings,
            clock,
            slots,
            breaker,
            node,
            chain: run.map(|run| Chain::start(run, node)),
        }
    }

    async fn run(self, queue: mpsc::Receiver<Pending>, closing: Arc<Notify>) {
        tokio::select! {
            biased;
            () = self.commit(queue, &closing) => {}
            never = self.probe() => match never {},
        }
    }

    /// While S3 is away, asks by itself whether it is back. An empty object says nothing of any payment, so that
    /// nobody waits for it; if S3 kept one, the function finds no line in it.
    async fn probe(&self) -> Infallible {
        loop {
            self.breaker.opened().await;
            while let Some(attempt) = self.breaker.begin_probe() {
                let key = self.batch_key((self.clock)());
                let _ = attempt
                    .run(&key, 0, self.journal.put(&key, Bytes::new()))
                    .await;
                tokio::time::sleep(PROBE_PAUSE).await;
            }
        }
    }

    async fn commit(&self, mut queue: mpsc::Receiver<Pending>, closing: &Notify) {
        loop {
            let first = tokio::select! {
                biased;
                () = closing.notified() => {
                    queue.close();
                    continue;
                }
                first = queue.recv() => first,
                () = self.idle() => {
                    self.seal().await;
                    continue;
                }
            };
            let Some(first) = first else { break };
            let Some((slot, attempt)) = self.turn().await else {
                continue;
            };
            let (journal, records) = (Arc::clone(&self.journal), Arc::clone(&self.records));
            let key = self.key(&first);
            match self.settings.layout {
                Layout::Batch => {
                    let batch = self.gather(first, &mut queue).await;
                    let object = self.object(key, Purpose::Payments, &batch);
                    tokio::spawn(put::batch(journal, records, object, batch, slot, attempt));
                }
                Layout::Object => {
                    tokio::spawn(put::single(journal, key, first, slot, attempt));
                }
            }
        }
        let all = u32::try_from(self.settings.puts_max).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
        self.end().await;
    }

    /// Returns once a header is to be put for its own sake.
    async fn idle(&self) {
        match &self.chain {
            Some(chain) => chain.idle().await,
            None => std::future::pending().await,
        }
    }

    /// Names what no batch names. While S3 is away, it is asked again later.
    async fn seal(&self) {
        let Some((slot, attempt)) = self.turn().await else {
            if let Some(chain) = &self.chain {
                chain.put_off();
            }
            return;
        };
        let object = self.header(Purpose::Seal);
        let journal = Arc::clone(&self.journal);
        tokio::spawn(async move {
            object.put(&journal, 0, attempt).await;
            drop(slot);
        });
    }

    /// Ends the run, if S3 takes its last object. Nothing else is being put.
    async fn end(&self) {
        while let Some(purpose) = self.chain.as_ref().and_then(Chain::closing)
            && let Some(attempt) = self.breaker.begin()
        {
            let is_stored = self.header(purpose).put(&self.journal, 0, attempt).await;
            if purpose == Purpose::End || !is_stored {
                break;
            }
        }
    }

    /// Returns a free slot and the permission to use it; `None` as soon as S3 is unavailable.
    async fn turn(&self) -> Option<(OwnedSemaphorePermit, Attempt)> {
        let slot = tokio::select! {
            biased;
            slot = self.slot() => slot?,
            () = self.breaker.wait_until_open() => return None,
        };
        Some((slot, self.breaker.begin()?))
    }

    /// Comes when no PUT is at work any more, or late enough and a slot is free.
    async fn slot(&self) -> Option<OwnedSemaphorePermit> {
        let slots = || Arc::clone(&self.slots);
        if self.settings.layout == Layout::Batch {
            let all = u32::try_from(self.settings.puts_max).unwrap_or(u32::MAX);
            let idle = tokio::time::timeout(BEHIND_A_PUT, slots().acquire_many_owned(all));
            if let Ok(idle) = idle.await {
                return idle.ok()?.split(1);
            }
        }
        slots().acquire_owned().await.ok()
    }

    /// Takes what waits behind `first`, up to the bounds of a batch.
    async fn gather(&self, first: Pending, queue: &mut mpsc::Receiver<Pending>) -> Vec<Pending> {
        if !self.settings.linger.is_zero() {
            tokio::time::sleep(self.settings.linger).await;
        }
        let header = self.chain.as_ref().map_or(0, Chain::header_bytes);
        let mut size = header + first.line.len();
        let mut batch = vec![first];
        while batch.len() < BATCH_RECORDS_MAX && size < BATCH_BYTES_MAX {
            let Ok(next) = queue.try_recv() else { break };
            size += next.line.len();
            batch.push(next);
        }
        batch
    }

    fn object(&self, key: ObjectKey, purpose: Purpose, batch: &[Pending]) -> Object {
        let chain = self.chain.as_ref();
        let in_chain = chain.map(|chain| chain.seal(purpose, (self.clock)()));
        Object::new(key, in_chain, batch)
    }

    fn header(&self, purpose: Purpose) -> Object {
        self.object(self.batch_key((self.clock)()), purpose, &[])
    }

    fn key(&self, first: &Pending) -> ObjectKey {
        match self.settings.layout {
            Layout::Batch => self.batch_key(first.receipt.received_at),
            Layout::Object => ObjectKey::single(&self.settings.prefix, &first.payment),
        }
    }

    fn batch_key(&self, at: Timestamp) -> ObjectKey {
        ObjectKey::batch(
            &self.settings.prefix,
            at,
            Uuid::now_v7(),
            &self.node.to_string(),
        )
    }
}
