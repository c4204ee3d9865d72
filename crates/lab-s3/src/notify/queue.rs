//! The way of events from the spool to one destination.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::destination::Destination;
use super::spool::{Spool, SpoolError, Spooled};
use crate::store::Store;

/// Events in memory at most; more wait in the spool.
const CAPACITY: usize = 4096;
/// Deliveries at a time.
const CONCURRENCY: usize = 8;
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(5);

/// Hands events to the task that delivers them.
pub struct Queue {
    sender: mpsc::Sender<Spooled>,
    /// The spool holds events that are not in the queue.
    behind: Arc<AtomicBool>,
}

impl Queue {
    /// Begins with what the spool holds from earlier runs.
    pub fn start(
        destination: Destination,
        spool: Arc<Spool>,
        store: Arc<Store>,
        tasks: &mut JoinSet<()>,
    ) -> Result<Arc<Self>, SpoolError> {
        let (sender, receiver) = mpsc::channel(CAPACITY);
        let (found, more) = spool.load(destination.arn(), CAPACITY)?;
        let behind = Arc::new(AtomicBool::new(more));
        let worker = Worker {
            destination,
            spool,
            store,
            behind: Arc::clone(&behind),
        };
        tasks.spawn(async move {
            let deliver = |event| worker.deliver(event);
            worker
                .events(found, receiver)
                .for_each_concurrent(CONCURRENCY, deliver)
                .await;
        });
        Ok(Arc::new(Self { sender, behind }))
    }

    /// Never waits: where the queue is full the event is left to the spool.
    pub fn offer(&self, event: Spooled) {
        if self.sender.try_send(event).is_err() {
            self.behind.store(true, Ordering::Release);
        }
    }
}

struct Worker {
    destination: Destination,
    spool: Arc<Spool>,
    store: Arc<Store>,
    behind: Arc<AtomicBool>,
}

impl Worker {
    /// Those found; then the queue's; and, whenever the queue is empty, those that only the spool
    /// holds.
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

    /// Reads the spool. What is being delivered at this moment is found too, and delivered again.
    async fn catch_up(&self) -> VecDeque<Spooled> {
        let (spool, arn) = (Arc::clone(&self.spool), self.destination.arn().to_owned());
        let loaded = tokio::task::spawn_blocking(move || spool.load(&arn, CAPACITY)).await;
        match loaded.unwrap_or_else(|ended| Err(SpoolError::Task(ended))) {
            Ok((mut found, more)) => {
                self.behind.fetch_or(more, Ordering::AcqRel);
                // The object of a staged event is perhaps never stored; if it is, the event comes
                // by the queue.
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

    /// Tries until the destination has taken the event, for as long as the server runs.
    async fn deliver(&self, event: Spooled) {
        let mut failures = 0;
        while let Err(error) = self.destination.deliver(event.event.clone()).await {
            let source = error.source().map(ToString::to_string);
            tracing::warn!(key = event.key, failures, %error, source, "event not delivered; will try again");
            tokio::time::sleep(backoff(failures, rand::random())).await;
            failures += 1;
        }
        self.spool.remove(&event.name).await;
    }
}

/// Doubles with each failure up to [`LAST_RETRY`]; `jitter`, from 0 to 1, takes off up to half.
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
