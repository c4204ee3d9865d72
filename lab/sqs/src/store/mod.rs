//! All queues and their folders.
//!
//! One lock guards the set of messages. Files change under it too, except that a new message is written before anyone
//! can know of it. So a message is on disk before it is in memory, and removed from disk before it is removed from
//! memory: a crash can deliver a message twice, but cannot lose one.

mod folder;
mod message;
mod queue;
mod receipt;

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::config::QueueConfig;
pub use message::{Attribute, Attributes, History, Message, md5_of_body, sent_ms};
pub use queue::{Depth, Handout, Unchangeable};
use queue::{Queue, Received};
pub use receipt::Receipt;

/// The queues of one server. Methods that touch the disk block: `api` calls them where that is allowed.
#[derive(Debug)]
pub struct Store {
    queues: Mutex<BTreeMap<String, Queue>>,
    /// Notified when a message may have become visible.
    pub changed: Notify,
    /// Released by the kernel however the server ends.
    _lock: File,
}

/// The queue does not exist.
#[derive(Debug)]
pub struct NoQueue;

impl Store {
    pub fn open(root: &Path, queues: Vec<QueueConfig>) -> Result<Self> {
        let shown = root.display();
        let failed = || format!("cannot use the root {shown}");
        fs::create_dir_all(root).with_context(failed)?;
        let lock = File::create(root.join("lock")).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the root {shown} is in use by another server; stop that one or choose another folder"
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        let root = root.join("queues");
        let open = |config: QueueConfig| Ok((config.name.clone(), Queue::open(config, &root)?));
        let queues: io::Result<_> = queues.into_iter().map(open).collect();
        Ok(Self {
            queues: Mutex::new(queues.with_context(failed)?),
            changed: Notify::new(),
            _lock: lock,
        })
    }

    pub fn names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub fn config(&self, queue: &str) -> Result<QueueConfig, NoQueue> {
        let queues = self.lock();
        Ok(queues.get(queue).ok_or(NoQueue)?.config.clone())
    }

    /// Stores the messages; they are durable when this returns.
    pub fn send(&self, queue: &str, messages: Vec<(Message, Duration)>) -> io::Result<Vec<Uuid>> {
        let folder = self.with(queue, |queue| Ok(queue.folder.clone()))?;
        let (messages, delays): (Vec<_>, Vec<_>) = messages
            .into_iter()
            .map(|(message, delay)| ((Uuid::now_v7(), message), delay))
            .unzip();
        folder.add(&messages)?;
        let now = Instant::now();
        let ids: Vec<Uuid> = messages.into_iter().map(|(id, _)| id).collect();
        self.with(queue, |queue| {
            for (id, delay) in ids.iter().zip(delays) {
                queue.insert(*id, History::default(), now + delay);
            }
            Ok(())
        })?;
        self.changed.notify_waiters();
        Ok(ids)
    }

    /// Receives up to `most` messages that are visible now. Messages that were received too often become dead letters.
    pub fn receive(
        &self,
        queue: &str,
        most: usize,
        visibility: Duration,
    ) -> io::Result<Vec<(Handout, Message)>> {
        let (handouts, folder) = self.hand_out(queue, most, visibility)?;
        let mut received = Vec::with_capacity(handouts.len());
        for handout in handouts {
            // Meanwhile deleted with an earlier receipt: nothing to deliver.
            if let Some(message) = folder.read(handout.receipt.id)? {
                received.push((handout, message));
            }
        }
        Ok(received)
    }

    fn hand_out(
        &self,
        name: &str,
        most: usize,
        visibility: Duration,
    ) -> io::Result<(Vec<Handout>, folder::Folder)> {
        let mut queues = self.lock();
        let now = Instant::now();
        let queue = get(&mut queues, name)?;
        queue.expire()?;
        let folder = queue.folder.clone();
        let mut handouts = Vec::new();
        while handouts.len() < most {
            match get(&mut queues, name)?.receive(visibility, now)? {
                Some(Received::Handout(handout)) => handouts.push(handout),
                Some(Received::Exhausted(id)) => {
                    bury(&mut queues, name, id)?;
                    self.changed.notify_waiters();
                }
                None => break,
            }
        }
        Ok((handouts, folder))
    }

    /// Returns when the next message becomes visible.
    pub fn next_due(&self, queue: &str) -> Option<Instant> {
        self.lock().get(queue)?.next_due()
    }

    pub fn delete(&self, receipt: &Receipt) -> io::Result<()> {
        self.with(&receipt.queue, |queue| queue.delete(receipt))
    }

    pub fn hide(
        &self,
        receipt: &Receipt,
        visibility: Duration,
    ) -> io::Result<Result<(), Unchangeable>> {
        let changed = self.with(&receipt.queue, |queue| {
            Ok(queue.hide(receipt, visibility, Instant::now()))
        });
        self.changed.notify_waiters();
        changed
    }

    pub fn depth(&self, queue: &str) -> io::Result<Depth> {
        self.with(queue, |queue| {
            queue.expire()?;
            Ok(queue.depth(Instant::now()))
        })
    }

    pub fn purge(&self, queue: &str) -> io::Result<()> {
        self.with(queue, Queue::purge)
    }

    /// Whether this is the dead-letter queue of another queue.
    pub fn takes_dead_letters(&self, queue: &str) -> bool {
        self.lock().values().any(|other| {
            let redrive = other.config.redrive.as_ref();
            redrive.is_some_and(|redrive| redrive.dead_letter_queue == queue)
        })
    }

    /// Moves visible messages, as new ones, to `to` or back to their source queues; returns how many.
    pub fn redrive(&self, from: &str, to: Option<&str>) -> io::Result<usize> {
        let mut queues = self.lock();
        let now = Instant::now();
        let mut moved = 0;
        for (id, history) in get(&mut queues, from)?.visible(now) {
            let origin = history.dead_letter_of.as_deref();
            let Some(to) = to.or(origin).filter(|to| queues.contains_key(*to)) else {
                continue;
            };
            transfer(
                &mut queues,
                from,
                id,
                to,
                Uuid::now_v7(),
                History::default(),
            )?;
            moved += 1;
        }
        drop(queues);
        self.changed.notify_waiters();
        Ok(moved)
    }

    fn with<T>(&self, queue: &str, act: impl FnOnce(&mut Queue) -> io::Result<T>) -> io::Result<T> {
        act(get(&mut self.lock(), queue)?)
    }

    /// Ignores poisoning: the state in memory can be rebuilt from disk.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get<'a>(queues: &'a mut BTreeMap<String, Queue>, name: &str) -> io::Result<&'a mut Queue> {
    queues
        .get_mut(name)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// Moves a message that was received too often to the dead-letter queue. It keeps its id and its age.
fn bury(queues: &mut BTreeMap<String, Queue>, name: &str, id: Uuid) -> io::Result<()> {
    let redrive = get(queues, name)?.config.redrive.clone();
    let redrive = redrive.ok_or(io::ErrorKind::NotFound)?;
    let history = History {
        dead_letter_of: Some(name.to_owned()),
        ..History::default()
    };
    tracing::warn!(queue = name, message_id = %id, "message moved to the dead-letter queue");
    transfer(queues, name, id, &redrive.dead_letter_queue, id, history)
}

fn transfer(
    queues: &mut BTreeMap<String, Queue>,
    from: &str,
    id: Uuid,
    to: &str,
    new_id: Uuid,
    history: History,
) -> io::Result<()> {
    let target = get(queues, to)?.folder.clone();
    let source = get(queues, from)?;
    source.folder.hand_over(id, &target, new_id, &history)?;
    source.forget(id);
    get(queues, to)?.insert(new_id, history, Instant::now());
    Ok(())
}
