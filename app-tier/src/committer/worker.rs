//! Moves payments from the queue to S3: gathers what waits, and keeps the PUTs and the chain going.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use payment_core::chain::{Node, Purpose, RunId};
use payment_core::{ObjectKey, Timestamp};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use uuid::Uuid;

use super::chain::Chain;
use super::put::{self, Object};
use super::{Bursts, Layout, Pending, Settings};
use crate::breaker::{Attempt, Breaker};
use crate::journal::Journal;
use crate::records::Records;

/// Records in one object: what the function inserts in two statements.
const BATCH_RECORDS_MAX: usize = 1000;

/// A batch takes no further record past this size.
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// How long payments gather behind a PUT that is at work. It bounds what a slow PUT costs those behind it; a common
/// one takes 20 to 60 ms.
const BEHIND_A_PUT: Duration = Duration::from_millis(50);

/// Pause from the end of a probe to the next.
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// The time by this machine.
pub(super) type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// Takes batches from the queue and starts their PUTs.
pub(super) struct Worker<J> {
    journal: Arc<J>,
    records: Arc<dyn Records>,
    settings: Settings,
    /// Clock for headers, and for the keys of what holds no payment; a batch has its first payment's time.
    clock: Clock,
    pub(super) slots: Arc<Semaphore>,
    pub(super) bursts: Bursts,
    breaker: Breaker,
    /// Names this process in keys.
    node: Node,
    chain: Option<Chain>,
}

impl<J: Journal> Worker<J> {
    pub(super) fn new(
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
            bursts: Bursts::default(),
            breaker,
            node,
            chain: run.map(|run| Chain::start(run, node)),
        }
    }

    pub(super) async fn run(self, queue: mpsc::Receiver<Pending>, closing: Arc<Notify>) {
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
        let _whole = self.bursts.hold();
        while batch.len() < BATCH_RECORDS_MAX && size < BATCH_BYTES_MAX {
            let Ok(next) = queue.try_recv() else { break };
            size += next.line.len();
            batch.push(next);
        }
        batch
    }

    fn object(&self, key: ObjectKey, purpose: Purpose, batch: &[Pending]) -> Object {
        let chain = self.chain.as_ref();
        let sealed = chain.map(|chain| (chain, chain.seal(purpose, (self.clock)())));
        Object::new(key, sealed, batch)
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
