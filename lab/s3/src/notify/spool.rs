//! Events on disk, one file each, until they are delivered.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::store::Store;

#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    #[error("cannot use the spool {}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot serialize an event")]
    Json(#[from] serde_json::Error),
    #[error("reading the spool was interrupted")]
    Task(#[source] tokio::task::JoinError),
}

pub struct Spool {
    directory: PathBuf,
}

/// An event, and what is needed to deliver it after a restart.
#[derive(Clone, Debug)]
pub struct Spooled {
    /// Sorts by time.
    pub name: String,
    pub destination: String,
    pub bucket: String,
    pub key: String,
    /// The message to send.
    pub event: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Record<'a> {
    destination: String,
    bucket: String,
    key: String,
    #[serde(borrow)]
    event: &'a RawValue,
}

impl Spool {
    pub fn open(root: &Path) -> Result<Self, SpoolError> {
        let directory = root.join("spool");
        fs::create_dir_all(&directory).map_err(|source| SpoolError::Io {
            path: directory.clone(),
            source,
        })?;
        Ok(Self { directory })
    }

    pub async fn add(&self, spooled: &Spooled) -> Result<(), SpoolError> {
        let record = Record {
            destination: spooled.destination.clone(),
            bucket: spooled.bucket.clone(),
            key: spooled.key.clone(),
            event: serde_json::from_slice(&spooled.event)?,
        };
        let json = serde_json::to_vec(&record)?;
        let path = self.directory.join(&spooled.name);
        let written = tokio::fs::write(&path, json).await;
        written.map_err(|source| SpoolError::Io { path, source })
    }

    /// Removes an event; succeeds if it is gone already.
    pub async fn remove(&self, name: &str) {
        let path = self.directory.join(name);
        match tokio::fs::remove_file(&path).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "a delivered event stays in the spool");
            }
            _ => {}
        }
    }

    /// Removes the events that fail `keep`, and those that were being written when the process was killed: their
    /// objects were never stored. Blocks.
    pub fn retain(&self, keep: impl Fn(&Spooled) -> bool) -> Result<(), SpoolError> {
        for name in self.names()? {
            if !self.read(&name)?.is_some_and(|spooled| keep(&spooled)) {
                let path = self.directory.join(name);
                fs::remove_file(&path).map_err(|source| SpoolError::Io { path, source })?;
            }
        }
        Ok(())
    }

    /// Returns up to `limit` events for `destination` except those named in `skip`, oldest first, and whether there are
    /// more. Blocks.
    pub fn load(
        &self,
        destination: &str,
        limit: usize,
        skip: &HashSet<String>,
    ) -> Result<(VecDeque<Spooled>, bool), SpoolError> {
        let mut found = VecDeque::new();
        for name in self.names()? {
            if skip.contains(&name) {
                continue;
            }
            match self.read(&name)? {
                Some(spooled) if spooled.destination == destination => {
                    if found.len() == limit {
                        return Ok((found, true));
                    }
                    found.push_back(spooled);
                }
                _ => {}
            }
        }
        Ok((found, false))
    }

    /// Returns the names, oldest first.
    fn names(&self) -> Result<Vec<String>, SpoolError> {
        let failed = |source| SpoolError::Io {
            path: self.directory.clone(),
            source,
        };
        let entries = fs::read_dir(&self.directory).map_err(failed)?;
        let name = |entry: io::Result<fs::DirEntry>| entry.map(|entry| entry.file_name());
        let names: io::Result<Vec<_>> = entries.map(name).collect();
        let mut names: Vec<_> = names
            .map_err(failed)?
            .iter()
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Returns `None` for an event that was removed meanwhile, or is not complete.
    fn read(&self, name: &str) -> Result<Option<Spooled>, SpoolError> {
        let path = self.directory.join(name);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SpoolError::Io { path, source }),
        };
        let Ok(Record {
            destination,
            bucket,
            key,
            event,
        }) = serde_json::from_slice(&json)
        else {
            return Ok(None);
        };
        let event = Bytes::copy_from_slice(event.get().as_bytes());
        Ok(Some(Spooled {
            name: name.to_owned(),
            destination,
            bucket,
            key,
            event,
        }))
    }
}

impl Spooled {
    /// Whether the event's object exists. If not, its write was interrupted, or it was deleted since.
    pub fn is_stored(&self, store: &Store) -> bool {
        store
            .bucket(&self.bucket)
            .is_ok_and(|bucket| bucket.entry(&self.key).is_some())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tempfile::TempDir;

    use super::{Spool, Spooled};

    #[tokio::test]
    async fn a_load_leaves_out_what_it_is_told_to_and_ends_at_its_limit() {
        let root = TempDir::new().unwrap();
        let spool = Spool::open(root.path()).unwrap();
        for name in ["1", "2", "3", "4"] {
            let spooled = Spooled {
                name: name.to_owned(),
                destination: "here".to_owned(),
                bucket: "log".to_owned(),
                key: "a".to_owned(),
                event: "{}".into(),
            };
            spool.add(&spooled).await.unwrap();
        }
        let load = |limit, skip: &[&str]| {
            let skip: HashSet<_> = skip.iter().map(ToString::to_string).collect();
            let (found, more) = spool.load("here", limit, &skip).unwrap();
            let names: Vec<_> = found.into_iter().map(|spooled| spooled.name).collect();
            (names.concat(), more)
        };
        assert_eq!(load(9, &[]), ("1234".to_owned(), false));
        assert_eq!(load(2, &["1"]), ("23".to_owned(), true));
        assert_eq!(load(2, &["1", "4"]), ("23".to_owned(), false));
        assert_eq!(load(2, &["1", "2", "3", "4"]), (String::new(), false));
    }
}
