//! Hands queued events to the function, and decides what follows a failure.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Event, GiveUpReason, Queue};
use crate::concurrency_slot::ConcurrencySlot;
use crate::config::AsynchronousConfig;
use crate::function::{Function, Stopped};
use crate::invocation::{Failure, Invocation, Outcome};
use crate::status::Board;

/// Delay before an event whose file could not be read or written is tried again.
const DISK_RETRY: Duration = Duration::from_secs(5);

/// Dispatches the queue's events.
#[derive(Debug)]
pub struct Dispatcher {
    pub queue: Arc<Queue>,
    pub function: Arc<Function>,
    pub policy: AsynchronousConfig,
    pub board: Arc<Board>,
}

impl Dispatcher {
    /// Runs events as they become due until `stopping`, then waits for those in flight.
    pub async fn run(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut attempts = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => break,
                Some(_) = attempts.join_next() => {}
                Ok(slot) = self.slot_for_due() => {
                    if let Some(id) = self.queue.take_due() {
                        attempts.spawn(Arc::clone(&self).attempt(id, slot));
                    }
                }
            }
        }
        while attempts.join_next().await.is_some() {}
    }

    /// Waiting for a slot counts as throttled, not as an attempt.
    async fn slot_for_due(&self) -> Result<ConcurrencySlot, Stopped> {
        self.queue.due().await;
        self.function.reserve().await
    }

    async fn attempt(self: Arc<Self>, id: Uuid, slot: ConcurrencySlot) {
        if let Err(error) = self.try_attempt(id, slot).await {
            tracing::error!(request_id = %id, %error, "a queued event's file cannot be used; trying again");
            self.queue.wait(id, DISK_RETRY);
        }
    }

    async fn try_attempt(&self, id: Uuid, slot: ConcurrencySlot) -> io::Result<()> {
        let Some(event) = self.queue.load(id).await? else {
            return self.queue.done(id).await;
        };
        if event.accepted_at.age() > self.policy.max_age() {
            return self
                .give_up(id, event, GiveUpReason::EventAgeExceeded)
                .await;
        }
        let payload = event.payload.get().to_owned().into();
        let invocation = Invocation {
            request_id: id,
            payload,
        };
        match slot.run(invocation).await.map(|run| run.outcome) {
            Ok(Outcome::Success(_)) => self.queue.done(id).await,
            Ok(Outcome::Failure(failure)) => self.failed(id, event, &failure).await,
            // The file stays as it is, for the next start.
            Err(Stopped) => Ok(()),
        }
    }

    async fn failed(&self, id: Uuid, mut event: Event, failure: &Failure) -> io::Result<()> {
        event.attempts += 1;
        event.last_error = Some(failure.message());
        match self.policy.delay_after(event.attempts) {
            Some(delay) => self.queue.retry(id, &event, delay).await,
            None => {
                self.give_up(id, event, GiveUpReason::RetriesExhausted)
                    .await
            }
        }
    }

    async fn give_up(&self, id: Uuid, event: Event, reason: GiveUpReason) -> io::Result<()> {
        tracing::warn!(request_id = %id, attempts = event.attempts, ?reason, "event moved to the dead letters");
        self.queue.give_up(id, event, reason).await?;
        self.board.count(|counts| counts.dead_letters += 1);
        Ok(())
    }
}
