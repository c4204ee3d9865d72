//! A folder of JSON files, one per request id, each written atomically.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// One of the queue's two folders.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates the folder, and removes what a crash left half written.
    pub fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_file(path)?;
            }
        }
        Ok(Self(path.into()))
    }

    /// Returns the ids, oldest first: version 7 ids sort by time.
    pub fn ids(&self) -> io::Result<Vec<Uuid>> {
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.0)? {
            let name = entry?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".json"));
            ids.extend(id.and_then(|id| Uuid::parse_str(id).ok()));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    pub fn contains(&self, id: Uuid) -> bool {
        self.path(id).exists()
    }

    /// Returns `None` if there is no such file.
    pub async fn read<T: DeserializeOwned>(&self, id: Uuid) -> io::Result<Option<T>> {
        match tokio::fs::read(self.path(id)).await {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates or replaces a file, which then survives a power loss.
    pub async fn write<T: Serialize>(&self, id: Uuid, value: &T) -> io::Result<()> {
        let text = serde_json::to_vec(value)?;
        let (folder, path) = (self.0.clone(), self.path(id));
        spawn_blocking(move || write_durably(&folder, &path, &text)).await?
    }

    /// Removes a file; succeeds if there is no such file.
    pub async fn remove(&self, id: Uuid) -> io::Result<()> {
        match tokio::fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn path(&self, id: Uuid) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}

fn write_durably(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("tmp");
    let mut file = File::create(&unfinished)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // Syncs the folder, which makes the file name durable.
    File::open(folder)?.sync_all()
}
