//! One queue: which messages it holds, and when each is visible. Bodies stay on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::folder::Folder;
use super::message::{History, now_ms, sent_ms};
use super::receipt::Receipt;
use crate::config::QueueConfig;

#[derive(Debug)]
pub struct Queue {
    pub config: QueueConfig,
    pub folder: Folder,
    messages: BTreeMap<Uuid, Entry>,
    /// When each message becomes visible. Ids sort by time, so messages due at the same moment keep their order.
    due: BTreeSet<(Instant, Uuid)>,
}

#[derive(Debug)]
struct Entry {
    due: Instant,
    history: History,
}

/// A message that was delivered.
#[derive(Debug, Clone)]
pub struct Handout {
    pub receipt: Receipt,
    pub history: History,
}

/// Number of messages by state.
#[derive(Debug, Default, Clone, Copy)]
pub struct Depth {
    pub visible: usize,
    pub in_flight: usize,
    pub delayed: usize,
}

/// Why a message's visibility cannot be changed.
#[derive(Debug)]
pub enum Unchangeable {
    Gone,
    /// It is visible already, or was received again since.
    NotInFlight,
}

impl Queue {
    /// Opens the queue with what is on disk: every message is visible.
    pub fn open(config: QueueConfig, root: &Path) -> io::Result<Self> {
        let folder = Folder::open(&root.join(&config.name))?;
        let mut queue = Self {
            config,
            messages: BTreeMap::new(),
            due: BTreeSet::new(),
            folder,
        };
        let now = Instant::now();
        for (id, history) in queue.folder.messages()? {
            queue.insert(id, history, now);
        }
        Ok(queue)
    }

    pub fn insert(&mut self, id: Uuid, history: History, due: Instant) {
        self.messages.insert(id, Entry { due, history });
        self.due.insert((due, id));
    }

    /// Receives the message that has been visible longest, and hides it for `visibility`.
    pub fn receive(&mut self, visibility: Duration, now: Instant) -> io::Result<Option<Received>> {
        let Some((due, id)) = self.due.first().copied() else {
            return Ok(None);
        };
        if due > now {
            return Ok(None);
        }
        let limit = self.config.redrive.as_ref();
        let Some(entry) = self.messages.get_mut(&id) else {
            self.due.remove(&(due, id));
            return Ok(None);
        };
        if limit.is_some_and(|limit| entry.history.receives >= limit.max_receive_count) {
            return Ok(Some(Received::Exhausted(id)));
        }
        let mut history = entry.history.clone();
        history.receives += 1;
        history.first_received_ms.get_or_insert_with(now_ms);
        self.folder.remember(id, &history)?;
        entry.history = history.clone();
        // Later than now even if it stays visible, so that one receive never delivers a message twice.
        entry.due = now + visibility.max(Duration::from_nanos(1));
        self.due.remove(&(due, id));
        self.due.insert((entry.due, id));
        Ok(Some(Received::Handout(Handout {
            receipt: Receipt {
                queue: self.config.name.clone(),
                id,
                receives: history.receives,
            },
            history,
        })))
    }

    /// Returns when the next message becomes visible.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Deletes a message by the receipt of its latest receive. An older receipt, or a message that is gone, is not an
    /// error.
    pub fn delete(&mut self, receipt: &Receipt) -> io::Result<()> {
        let entry = self.messages.get(&receipt.id);
        if entry.is_some_and(|entry| entry.history.receives == receipt.receives) {
            self.folder.remove(receipt.id)?;
            self.forget(receipt.id);
        }
        Ok(())
    }

    pub fn hide(
        &mut self,
        receipt: &Receipt,
        visibility: Duration,
        now: Instant,
    ) -> Result<(), Unchangeable> {
        let entry = self
            .messages
            .get_mut(&receipt.id)
            .ok_or(Unchangeable::Gone)?;
        if entry.history.receives != receipt.receives || entry.due <= now {
            return Err(Unchangeable::NotInFlight);
        }
        self.due.remove(&(entry.due, receipt.id));
        entry.due = now + visibility;
        self.due.insert((entry.due, receipt.id));
        Ok(())
    }

    /// Removes a message from the queue; its files are the caller's responsibility.
    pub fn forget(&mut self, id: Uuid) {
        if let Some(entry) = self.messages.remove(&id) {
            self.due.remove(&(entry.due, id));
        }
    }

    /// Returns the visible messages with their history.
    pub fn visible(&self, now: Instant) -> Vec<(Uuid, History)> {
        self.due
            .range(..=(now, Uuid::max()))
            .filter_map(|(_, id)| Some((*id, self.messages.get(id)?.history.clone())))
            .collect()
    }

    pub fn depth(&self, now: Instant) -> Depth {
        let mut depth = Depth::default();
        for entry in self.messages.values() {
            let count = match (entry.due <= now, entry.history.receives) {
                (true, _) => &mut depth.visible,
                (false, 0) => &mut depth.delayed,
                (false, _) => &mut depth.in_flight,
            };
            *count += 1;
        }
        depth
    }

    pub fn purge(&mut self) -> io::Result<()> {
        while let Some((id, _)) = self.messages.first_key_value() {
            let id = *id;
            self.folder.remove(id)?;
            self.forget(id);
        }
        Ok(())
    }

    /// Removes messages past their retention. Ids sort by the time of sending.
    pub fn expire(&mut self) -> io::Result<()> {
        let kept = self.config.retention_seconds.saturating_mul(1000);
        let now = now_ms();
        while let Some((id, _)) = self.messages.first_key_value() {
            let id = *id;
            if now.saturating_sub(sent_ms(id)) <= kept {
                break;
            }
            self.folder.remove(id)?;
            self.forget(id);
        }
        Ok(())
    }
}

/// Result of a receive.
#[derive(Debug)]
pub enum Received {
    Handout(Handout),
    /// It was received as often as allowed and is now a dead letter.
    Exhausted(Uuid),
}
