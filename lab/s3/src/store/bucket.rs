//! One bucket: its files, its index and the locks of its keys.

use std::collections::BTreeMap;
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::stream::{BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::{
    GetOptions, GetResultPayload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload,
};
use time::OffsetDateTime;
use tokio::sync::{Mutex, MutexGuard};

use super::error::StoreError;
use super::index::{Entry, Index};
use super::listing::{Page, Query};
use super::name;
use super::object::{Head, StoredObject};
use crate::clock::Stamp;

/// Enough that writers of different keys rarely share a lock.
const LOCKS: u64 = 256;

pub struct Bucket {
    pub name: String,
    pub created: OffsetDateTime,
    files: LocalFileSystem,
    index: Index,
    locks: Vec<Mutex<()>>,
    hasher: RandomState,
}

/// The body of a new object.
pub enum Content {
    Bytes(Vec<Bytes>),
    Stream(BoxStream<'static, io::Result<Bytes>>),
}

impl Bucket {
    /// Reads the heads of all objects in `directory`.
    pub(super) async fn open(name: &str, directory: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(directory).map_err(StoreError::io(directory))?;
        let metadata = std::fs::metadata(directory).map_err(StoreError::io(directory))?;
        let created = metadata
            .created()
            .or_else(|_| metadata.modified())
            .map_err(StoreError::io(directory))?;
        let files = LocalFileSystem::new_with_prefix(directory)?;
        let found: Vec<_> = files.list(None).try_collect().await?;
        let paths = found
            .into_iter()
            .map(|found| Ok((files.path_to_filesystem(&found.location)?, found.location)));
        let paths = paths.collect::<Result<Vec<_>, StoreError>>()?;
        let entries = tokio::task::spawn_blocking(move || read_entries(paths)).await;
        let entries = entries
            .map_err(io::Error::other)
            .map_err(StoreError::io(directory))??;
        Ok(Self {
            name: name.to_owned(),
            created: created.into(),
            files,
            index: Index::new(entries),
            locks: (0..LOCKS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        })
    }

    /// Locks `key` against other writers.
    pub async fn lock(&self, key: &str) -> Result<KeyLock<'_>, StoreError> {
        let path = name::to_path(key)?;
        let slot = usize::try_from(self.hasher.hash_one(key) % LOCKS).unwrap_or(0);
        let guard = self.locks[slot].lock().await;
        Ok(KeyLock {
            bucket: self,
            key: key.to_owned(),
            path,
            _guard: guard,
        })
    }

    /// Returns what a listing shows of the object.
    pub fn entry(&self, key: &str) -> Option<Entry> {
        self.index.get(key)
    }

    pub fn list(&self, query: &Query<'_>) -> Page {
        self.index.list(query)
    }

    pub fn newest(&self) -> Option<Stamp> {
        self.index.newest()
    }

    /// Returns `None` if there is no such object.
    pub async fn read(&self, key: &str) -> Result<Option<StoredObject>, StoreError> {
        read(&self.files, &name::to_path(key)?).await
    }
}

/// Permission to write one key.
pub struct KeyLock<'a> {
    bucket: &'a Bucket,
    key: String,
    path: object_store::path::Path,
    _guard: MutexGuard<'a, ()>,
}

impl KeyLock<'_> {
    /// Returns the existing entry.
    pub fn entry(&self) -> Option<Entry> {
        self.bucket.index.get(&self.key)
    }

    /// Writes the object atomically. With [`PutMode::Create`], fails with [`StoreError::Exists`] if the key is taken.
    pub async fn write(
        &self,
        head: &Head,
        content: Content,
        mode: PutMode,
    ) -> Result<(), StoreError> {
        let encoded = head
            .encode()
            .map_err(StoreError::io(Path::new(self.path.as_ref())))?;
        let files = &self.bucket.files;
        match content {
            Content::Bytes(chunks) => {
                let payload: PutPayload = std::iter::once(encoded).chain(chunks).collect();
                files
                    .put_opts(&self.path, payload, PutOptions::from(mode))
                    .await?;
            }
            Content::Stream(chunks) => {
                if mode == PutMode::Create && self.entry().is_some() {
                    return Err(StoreError::Exists);
                }
                assemble(files, &self.path, encoded, chunks).await?;
            }
        }
        self.bucket.index.insert(&self.key, Entry::from(head));
        Ok(())
    }

    /// Succeeds if there is no such object.
    pub async fn delete(&self) -> Result<(), StoreError> {
        match self.bucket.files.delete(&self.path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        self.bucket.index.remove(&self.key);
        Ok(())
    }
}

/// Writes a file piece by piece; it appears under its name only when it is complete.
async fn assemble(
    files: &LocalFileSystem,
    path: &object_store::path::Path,
    head: Bytes,
    mut chunks: BoxStream<'static, io::Result<Bytes>>,
) -> Result<(), StoreError> {
    let mut file = files.put_multipart(path).await?;
    file.put_part(head.into()).await?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(StoreError::io(Path::new(path.as_ref())))?;
        file.put_part(chunk.into()).await?;
    }
    file.complete().await?;
    Ok(())
}

/// Reads the index entries of the objects in these files.
fn read_entries(
    files: Vec<(PathBuf, object_store::path::Path)>,
) -> Result<BTreeMap<String, Entry>, StoreError> {
    let entry = |(file, path): (PathBuf, object_store::path::Path)| {
        let key =
            name::from_path(&path).ok_or_else(|| StoreError::NotAnObject { path: file.clone() })?;
        let object = File::open(&file)
            .and_then(StoredObject::open)
            .map_err(StoreError::io(&file))?;
        Ok((key, Entry::from(&object.head)))
    };
    files.into_iter().map(entry).collect()
}

async fn read(
    files: &LocalFileSystem,
    path: &object_store::path::Path,
) -> Result<Option<StoredObject>, StoreError> {
    let found = match files.get_opts(path, GetOptions::default()).await {
        Ok(found) => found,
        Err(object_store::Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let GetResultPayload::File(file, path) = found.payload else {
        return Err(StoreError::NotAnObject {
            path: PathBuf::from(path.as_ref()),
        });
    };
    let opened = tokio::task::spawn_blocking(move || StoredObject::open(file)).await;
    let opened = opened.map_err(io::Error::other).flatten();
    opened.map(Some).map_err(StoreError::io(&path))
}
