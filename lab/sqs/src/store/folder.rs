//! A queue's folder. A message is a file `<id>.json`, written atomically and never changed; `<id>.history` is added
//! once there is something to record.
//!
//! A message survives a power loss. Its history survives only the end of the process: flushing it would cost a disk
//! write for each receive, and all that can be lost is a count.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::message::{History, Message};

#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates the folder, and removes what a crash left half done.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let folder = Self(path.into());
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            let stale = match extension {
                Some("tmp" | "history-tmp") => true,
                Some("history") => !path.with_extension("json").exists(),
                _ => false,
            };
            if stale {
                fs::remove_file(path)?;
            }
        }
        Ok(folder)
    }

    pub fn messages(&self) -> io::Result<Vec<(Uuid, History)>> {
        let mut messages = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            if let Some(id) = id.and_then(|id| Uuid::parse_str(id).ok()) {
                messages.push((id, self.history(id)?));
            }
        }
        Ok(messages)
    }

    /// Writes all messages durably.
    pub fn add(&self, messages: &[(Uuid, Message)]) -> io::Result<()> {
        for (id, message) in messages {
            let path = self.message_path(*id);
            let unfinished = path.with_extension("tmp");
            let mut file = File::create(&unfinished)?;
            file.write_all(&serde_json::to_vec(message)?)?;
            file.sync_all()?;
            fs::rename(unfinished, path)?;
        }
        self.sync()
    }

    /// Returns `None` if there is no such file.
    pub fn read(&self, id: Uuid) -> io::Result<Option<Message>> {
        match fs::read(self.message_path(id)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn remember(&self, id: Uuid, history: &History) -> io::Result<()> {
        let path = self.history_path(id);
        let unfinished = path.with_extension("history-tmp");
        fs::write(&unfinished, serde_json::to_vec(history)?)?;
        fs::rename(unfinished, path)
    }

    /// Succeeds if there is no such message. Removes the history last, because alone it means nothing.
    pub fn remove(&self, id: Uuid) -> io::Result<()> {
        remove(&self.message_path(id))?;
        remove(&self.history_path(id))
    }

    /// Moves a message to another queue atomically, so that it is always in exactly one of them.
    pub fn hand_over(
        &self,
        id: Uuid,
        other: &Self,
        new_id: Uuid,
        history: &History,
    ) -> io::Result<()> {
        other.remember(new_id, history)?;
        fs::rename(self.message_path(id), other.message_path(new_id))?;
        other.sync()?;
        self.sync()?;
        remove(&self.history_path(id))
    }

    fn history(&self, id: Uuid) -> io::Result<History> {
        match fs::read(self.history_path(id)) {
            // A power loss may have damaged it.
            Ok(text) => Ok(serde_json::from_slice(&text).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(History::default()),
            Err(error) => Err(error),
        }
    }

    /// Syncs the folder, which is what makes file names durable.
    fn sync(&self) -> io::Result<()> {
        File::open(&self.0)?.sync_all()
    }

    fn message_path(&self, id: Uuid) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }

    fn history_path(&self, id: Uuid) -> PathBuf {
        self.0.join(format!("{id}.history"))
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
