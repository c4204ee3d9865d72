//! Delivers events from the spool to one destination.

use std::collections::{HashSet, VecDeque};
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use server_kit::fault::Faults;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::destination::Destination;
use super::spool::{Spool, SpoolError, Spooled};
use crate::fault;
use crate::store::Store;

/// Most events in memory; more wait in the spool.
const CAPACITY: usize = 4096;
/// Number of events that a fault may delay without delaying others.
const HELD_BACK: usize = 4096;
/// Most concurrent deliveries.
const CONCURRENCY: usize = 8;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Passes events to the task that delivers them.
pub struct Queue {
    sender: mpsc::Sender<Spooled>,
    /// Whether the spool holds events that are not in the queue.
    behind: Arc<AtomicBool>,
}

impl Queue {
    /// Starts with `first`, which is not in the spool, and with what earlier runs left in the spool.
    pub fn start(
        worker: Worker,
        first: Vec<Bytes>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Arc<Self>, SpoolError> {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let (found, more) =
            worker
                .spool
                .load(worker.destination.arn(), CAPACITY, &HashSet::new())?;
        worker.behind.store(more, Ordering::Release);
        let behind = Arc::clone(&worker.behind);
        tasks.spawn(async move {
            for message in &first {
                worker.send("a test event", message).await;
            }
            worker.run(found, receiver).await;
        });
        Ok(Arc::new(Self { sender, behind }))
    }

    /// Never waits: if the queue is full, the event stays in the spool.
    pub fn offer(&self, event: Spooled) {
        if self.sender.try_send(event).is_err() {
            self.behind.store(true, Ordering::Release);
        }
    }
}

pub struct Worker {
    destination: Destination,
    spool: Arc<Spool>,
    store: Arc<Store>,
    faults: Arc<Faults>,
    behind: Arc<AtomicBool>,
    /// Names of the events in flight, which are in the spool too.
    in_hand: Mutex<HashSet<String>>,
}

impl Worker {
    pub fn new(
        destination: Destination,
        spool: Arc<Spool>,
        store: Arc<Store>,
        faults: Arc<Faults>,
    ) -> Self {
        Self {
            destination,
            spool,
            store,
            faults,
            behind: Arc::default(),
            in_hand: Mutex::default(),
        }
    }

    async fn run(&self, found: VecDeque<Spooled>, receiver: mpsc::Receiver<Spooled>) {
        let disturbed = async |event: Spooled| (fault::deliveries(&self.faults).await, event);
        self.events(found, receiver)
            .filter(|event| std::future::ready(self.in_hand().insert(event.name.clone())))
            .map(disturbed)
            .buffer_unordered(HELD_BACK)
            .for_each_concurrent(CONCURRENCY, async |(times, event)| {
                for _ in 0..times {
                    self.send(&event.key, &event.event).await;
                }
                self.spool.remove(&event.name).await;
                self.in_hand().remove(&event.name);
            })
            .await;
    }

    /// Yields the events found at the start, then those of the queue, and whenever the queue is empty, those that are
    /// only in the spool.
    fn events(
        &self,
        found: VecDeque<Spooled>,
        receiver: mpsc::Receiver<Spooled>,
    ) -> impl Stream<Item = Spooled> {
        stream::unfold((found, receiver), async |(mut found, mut receiver)| {
            loop {
                if let Some(event) = found.pop_front() {
                    return Some((event, (found, receiver)));
                }
                if let Ok(event) = receiver.try_recv() {
                    return Some((event, (found, receiver)));
                }
                if !self.behind.swap(false, Ordering::AcqRel) {
                    return receiver
                        .recv()
                        .await
                        .map(|event| (event, (found, receiver)));
                }
                found = self.catch_up().await;
            }
        })
    }

    /// Reads the spool, except for the events in flight.
    async fn catch_up(&self) -> VecDeque<Spooled> {
        let (spool, arn) = (Arc::clone(&self.spool), self.destination.arn().to_owned());
        let in_hand = self.in_hand().clone();
        let load = move || spool.load(&arn, CAPACITY, &in_hand);
        let loaded = tokio::task::spawn_blocking(load).await;
        match loaded.unwrap_or_else(|ended| Err(SpoolError::Task(ended))) {
            Ok((mut found, more)) => {
                self.behind.fetch_or(more, Ordering::AcqRel);
                // The object of a staged event may never be stored; if it is, the event arrives through the queue.
                found.retain(|event| event.is_stored(&self.store));
                found
            }
            Err(error) => {
                tracing::error!(%error, "the spool could not be read; will try again");
                self.behind.store(true, Ordering::Release);
                tokio::time::sleep(LAST_RETRY).await;
                VecDeque::new()
            }
        }
    }

    /// Retries until the destination has taken the message, as long as the server runs.
    async fn send(&self, about: &str, message: &Bytes) {
        let mut failures = 0;
        while let Err(error) = self.destination.deliver(message.clone()).await {
            let source = error.source().map(ToString::to_string);
            tracing::warn!(key = about, failures, %error, source, "event not delivered; will retry");
            tokio::time::sleep(backoff(failures, rand::random())).await;
            failures += 1;
        }
    }

    fn in_hand(&self) -> MutexGuard<'_, HashSet<String>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a delay that doubles with each failure up to [`LAST_RETRY`]; `jitter`, from 0 to 1, subtracts up to half.
fn backoff(failures: u32, jitter: f64) -> Duration {
    let doubled = FIRST_RETRY.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(LAST_RETRY).mul_f64(1.0 - jitter / 2.0)
}

#[cfg(test)]
mod tests {
    use super::{FIRST_RETRY, LAST_RETRY, backoff};

    #[test]
    fn backoff_grows_to_a_cap_and_is_never_cut_by_more_than_half() {
        assert_eq!(backoff(0, 0.0), FIRST_RETRY);
        assert_eq!(backoff(2, 0.0), FIRST_RETRY * 4);
        for failures in [7, 8, 31, 32, u32::MAX] {
            assert_eq!(backoff(failures, 0.0), LAST_RETRY);
            assert_eq!(backoff(failures, 1.0), LAST_RETRY / 2);
        }
    }
}
