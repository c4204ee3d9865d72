//! The queue of asynchronous events: on disk before they are confirmed; only their ids are in memory.
//!
//! An event is a file of `state/queue` from its acceptance until the function has succeeded, or until it has become a
//! file of `state/dead-letters`. Each step writes the new file before it removes the old one, so a crash can run an
//! event twice but cannot lose one. If a dead-letter queue is configured, dead letters wait here until it has taken
//! them.

mod dead_letter_queue;
mod dispatch;
mod event;
mod folder;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use crate::sync::lock;
pub use dead_letter_queue::DeadLetterQueue;
pub use dispatch::Dispatcher;
pub use event::{DeadLetter, Event, GiveUpReason};
use folder::Folder;

/// Most events held, dead letters included.
const EVENTS_MAX: usize = 100_000;

/// Why an event was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    #[error("the queue holds {EVENTS_MAX} events already, dead letters included")]
    Full,
    #[error("the event could not be written to the queue's folder")]
    Write(#[from] io::Error),
}

/// The asynchronous events of one function.
#[derive(Debug)]
pub struct Queue {
    queued: Folder,
    dead: Folder,
    memory: Mutex<Memory>,
    changed: Notify,
    /// Notified when a dead letter was added.
    dead_letter_added: Notify,
}

#[derive(Debug, Default)]
struct Memory {
    /// When each waiting event is due. Ids sort by time, so events due at the same moment keep their order.
    waiting: BTreeSet<(Instant, Uuid)>,
    taken: BTreeSet<Uuid>,
    dead: BTreeSet<Uuid>,
}

impl Queue {
    /// Opens the queue with what is on disk: whatever waited is due now.
    pub fn open(queued: &Path, dead: &Path) -> io::Result<Self> {
        let (queued, dead) = (Folder::open(queued)?, Folder::open(dead)?);
        let now = Instant::now();
        let memory = Memory {
            waiting: queued.ids()?.into_iter().map(|id| (now, id)).collect(),
            taken: BTreeSet::new(),
            dead: dead.ids()?.into_iter().collect(),
        };
        Ok(Self {
            queued,
            dead,
            memory: Mutex::new(memory),
            changed: Notify::new(),
            dead_letter_added: Notify::new(),
        })
    }

    /// Returns once the event is on disk.
    pub async fn accept(&self, id: Uuid, payload: Box<RawValue>) -> Result<(), AcceptError> {
        if lock(&self.memory).len() >= EVENTS_MAX {
            return Err(AcceptError::Full);
        }
        self.queued.write(id, &Event::new(payload)).await?;
        self.wait(id, Duration::ZERO);
        Ok(())
    }

    /// Queued events: not due yet, or waiting for a free concurrency slot.
    pub fn waiting(&self) -> usize {
        lock(&self.memory).waiting.len()
    }

    pub fn dead(&self) -> usize {
        lock(&self.memory).dead.len()
    }

    /// Whether the event is waiting or in flight.
    pub fn holds(&self, id: Uuid) -> bool {
        self.queued.contains(id)
    }

    /// Returns the newest dead letters, oldest first.
    pub async fn dead_letters(&self, most: usize) -> io::Result<Vec<DeadLetter>> {
        let newest: Vec<Uuid> = lock(&self.memory)
            .dead
            .iter()
            .rev()
            .take(most)
            .copied()
            .collect();
        let mut letters = Vec::with_capacity(newest.len());
        for id in newest.into_iter().rev() {
            letters.extend(self.dead.read::<DeadLetter>(id).await?);
        }
        Ok(letters)
    }

    /// Queues a dead letter again, as a new event under its old id; returns `false` if there is none of that id.
    pub async fn redrive(&self, id: Uuid) -> io::Result<bool> {
        let Some(letter) = self.dead.read::<DeadLetter>(id).await? else {
            return Ok(false);
        };
        self.queued.write(id, &Event::new(letter.payload)).await?;
        self.dead.remove(id).await?;
        lock(&self.memory).dead.remove(&id);
        self.wait(id, Duration::ZERO);
        Ok(true)
    }

    /// Waits until an event is due.
    async fn due(&self) {
        loop {
            let changed = self.changed.notified();
            let next = lock(&self.memory).waiting.first().copied();
            match next {
                Some((due, _)) if due <= Instant::now() => return,
                Some((due, _)) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
                None => changed.await,
            }
        }
    }

    /// Takes the event that has been due longest, if there is one.
    fn take_due(&self) -> Option<Uuid> {
        let mut memory = lock(&self.memory);
        let (due, id) = memory.waiting.first().copied()?;
        if due > Instant::now() {
            return None;
        }
        memory.waiting.remove(&(due, id));
        memory.taken.insert(id);
        Some(id)
    }

    /// Returns `None` if it is done already: a redrive may have queued it twice.
    async fn load(&self, id: Uuid) -> io::Result<Option<Event>> {
        self.queued.read(id).await
    }

    /// Removes an event that succeeded.
    async fn done(&self, id: Uuid) -> io::Result<()> {
        self.queued.remove(id).await?;
        lock(&self.memory).taken.remove(&id);
        Ok(())
    }

    /// Records the failed attempt in `event`, and schedules the next.
    async fn retry(&self, id: Uuid, event: &Event, delay: Duration) -> io::Result<()> {
        self.queued.write(id, event).await?;
        self.wait(id, delay);
        Ok(())
    }

    async fn give_up(&self, id: Uuid, event: Event, reason: GiveUpReason) -> io::Result<()> {
        self.dead
            .write(id, &DeadLetter::new(id, event, reason))
            .await?;
        self.done(id).await?;
        lock(&self.memory).dead.insert(id);
        self.dead_letter_added.notify_one();
        Ok(())
    }

    /// Returns the ids of dead letters, oldest first.
    fn dead_ids(&self) -> Vec<Uuid> {
        lock(&self.memory).dead.iter().copied().collect()
    }

    /// Returns `None` if it was redriven meanwhile.
    async fn dead_letter(&self, id: Uuid) -> io::Result<Option<DeadLetter>> {
        self.dead.read(id).await
    }

    /// Removes a dead letter that was forwarded to a queue.
    async fn forget_dead(&self, id: Uuid) -> io::Result<()> {
        self.dead.remove(id).await?;
        lock(&self.memory).dead.remove(&id);
        Ok(())
    }

    fn wait(&self, id: Uuid, delay: Duration) {
        {
            let mut memory = lock(&self.memory);
            memory.taken.remove(&id);
            memory.waiting.insert((Instant::now() + delay, id));
        }
        self.changed.notify_one();
    }
}

impl Memory {
    fn len(&self) -> usize {
        self.waiting.len() + self.taken.len() + self.dead.len()
    }
}
