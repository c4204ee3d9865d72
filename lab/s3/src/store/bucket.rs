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
use super::index::{Entry, Index, ListedVersion, Version, VersionMarker};
use super::listing::{Page, Query};
use super::name;
use super::object::{Head, StoredObject};
use super::retention::DefaultRetention;
use super::versions::{Found, remove, settle};
use crate::clock::Stamp;

/// Enough that writers of different keys rarely share a lock.
const LOCKS: u64 = 256;

pub struct Bucket {
    pub name: String,
    pub created: OffsetDateTime,
    /// Object Lock for new versions.
    pub retention: Option<DefaultRetention>,
    /// Whether what is overwritten or deleted is kept. Like S3, the lab never stops to do so.
    pub versioned: bool,
    pub(super) files: LocalFileSystem,
    pub(super) index: Index,
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
    pub(super) async fn open(
        name: &str,
        directory: &Path,
        retention: Option<DefaultRetention>,
    ) -> Result<Self, StoreError> {
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
        let found = tokio::task::spawn_blocking(move || read_entries(paths)).await;
        let found = found
            .map_err(io::Error::other)
            .map_err(StoreError::io(directory))??;
        let mut versions = BTreeMap::new();
        for (key, found) in found {
            let settled = settle(&files, &key, found).await?;
            versions.insert(key, settled);
        }
        let index = Index::new(versions);
        Ok(Self {
            name: name.to_owned(),
            created: created.into(),
            versioned: retention.is_some() || index.has_earlier_versions(),
            retention,
            files,
            index,
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

    pub fn list_versions(
        &self,
        prefix: &str,
        after: Option<&VersionMarker>,
        limit: usize,
    ) -> (Vec<ListedVersion>, bool) {
        self.index.list_versions(prefix, after, limit)
    }

    pub fn newest(&self) -> Option<Stamp> {
        self.index.newest()
    }

    /// Returns `None` if there is no such object.
    pub async fn read(&self, key: &str) -> Result<Option<StoredObject>, StoreError> {
        read(&self.files, &name::to_path(key)?).await
    }

    pub async fn read_version(&self, key: &str, id: Stamp) -> Result<StoredObject, StoreError> {
        let path = name::to_path(key)?;
        let versions = self.index.versions(key);
        let version = versions.iter().find(|version| version.id == id);
        let version = version.ok_or(StoreError::NoSuchVersion(id))?;
        if version.is_delete_marker() {
            return Err(StoreError::DeleteMarker(id));
        }
        // In this order, because an overwrite keeps the current object before it takes its place.
        let current = read(&self.files, &path).await?;
        if let Some(current) = current.filter(|current| current.head.modified == id) {
            return Ok(current);
        }
        let kept = read(&self.files, &name::to_version_path(&path, version)?).await?;
        kept.ok_or(StoreError::NoSuchVersion(id))
    }

    /// Returns the version id of an object, if the bucket has versions.
    pub fn version_id(&self, head: &Head) -> Option<String> {
        self.versioned.then(|| head.modified.to_string())
    }
}

/// Permission to write one key.
pub struct KeyLock<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) key: String,
    pub(super) path: object_store::path::Path,
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
        let mut versions = if self.bucket.versioned {
            self.keep_current().await?
        } else {
            Vec::new()
        };
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
        versions.push(Version::from(Entry::from(head)));
        self.bucket.index.set(&self.key, versions);
        Ok(())
    }

    /// Deletes the object, or marks it deleted if the bucket has versions. Succeeds if there is no such object.
    pub async fn delete(&self, now: Stamp) -> Result<(), StoreError> {
        if self.bucket.versioned {
            return self.mark_deleted(now).await;
        }
        remove(&self.bucket.files, &self.path).await?;
        self.bucket.index.set(&self.key, Vec::new());
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

/// Reads what is in these files, by key.
fn read_entries(
    files: Vec<(PathBuf, object_store::path::Path)>,
) -> Result<BTreeMap<String, Found>, StoreError> {
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for (file, path) in files {
        let not_an_object = || StoreError::NotAnObject { path: file.clone() };
        let version = name::from_version_path(&path);
        let object = version.as_ref().map_or(&path, |(object, ..)| object);
        let key = name::from_path(object).ok_or_else(not_an_object)?;
        let found = found.entry(key).or_default();
        match version {
            None => found.current = Some(read_entry(&file)?),
            Some((_, id, true)) => drop(found.earlier.insert(id, None)),
            Some((_, id, false)) => drop(found.earlier.insert(id, Some(read_entry(&file)?))),
        }
    }
    Ok(found)
}

fn read_entry(file: &Path) -> Result<Entry, StoreError> {
    let object = File::open(file).and_then(StoredObject::open);
    let object = object.map_err(StoreError::io(file))?;
    Ok(Entry::from(&object.head))
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
