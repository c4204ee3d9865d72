//! Objects in files.
//!
//! Owns the layout under the root directory, and the atomicity of writes. Knows nothing of HTTP, policies or events.
//!
//! ```text
//! lock                        held while a server runs on this root
//! buckets/<bucket>/<name…>    one file per object, see `name` and `object`
//! uploads/<id>/<part>         parts of multipart uploads; emptied at every start
//! ```
//!
//! A file is written under a staging name (`…#1`) and then renamed or linked, so that an object is there with its
//! metadata or not at all, whenever the process is killed. Nothing is flushed to disk: objects survive killed
//! processes, but not a power loss.
//!
//! The keys of every bucket, with what a listing shows, are in memory too: [`index::Index`]. A writer holds the key's
//! lock from its precondition check until the index is updated, so the two never diverge.

mod bucket;
mod error;
mod index;
mod listing;
mod name;
mod object;
mod retention;
mod uploads;
mod versions;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use bucket::{Bucket, Content};
pub use error::StoreError;
pub use index::{Entry, ListedVersion, VersionMarker};
pub use listing::{Cursor, Item, Query};
pub use object::{Attributes, Checksums, Head, StoredObject};
pub use retention::{DefaultRetention, RetentionMode};
pub use uploads::{Part, Upload, Uploads, concatenate};

use crate::clock::Stamp;

/// The buckets under one root directory.
pub struct Store {
    directory: PathBuf,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
    _lock: File,
}

impl Store {
    /// Opens the existing buckets, and creates those of `configured` that are missing.
    pub async fn open(
        root: &Path,
        configured: BTreeMap<&str, Option<DefaultRetention>>,
    ) -> Result<Self, StoreError> {
        let directory = root.join("buckets");
        fs::create_dir_all(&directory).map_err(StoreError::io(&directory))?;
        let store = Self {
            _lock: lock(root)?,
            directory,
            buckets: RwLock::default(),
        };
        for name in subdirectories(&store.directory)? {
            let retention = configured.get(&*name).copied().flatten();
            store.open_bucket(&name, retention).await?;
        }
        for (name, retention) in configured {
            if store.bucket(name).is_err() {
                store.open_bucket(name, retention).await?;
            }
        }
        Ok(store)
    }

    pub fn bucket(&self, name: &str) -> Result<Arc<Bucket>, StoreError> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets
            .get(name)
            .cloned()
            .ok_or_else(|| StoreError::NoSuchBucket(name.to_owned()))
    }

    /// Returns the buckets, sorted by name.
    pub fn buckets(&self) -> Vec<Arc<Bucket>> {
        self.buckets
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Opens a bucket, creating its directory if it is missing.
    pub async fn open_bucket(
        &self,
        name: &str,
        retention: Option<DefaultRetention>,
    ) -> Result<(), StoreError> {
        let bucket = Bucket::open(name, &self.directory.join(name), retention).await?;
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        buckets
            .entry(name.to_owned())
            .or_insert_with(|| Arc::new(bucket));
        Ok(())
    }

    /// Returns the stamp of the newest object.
    pub fn newest(&self) -> Option<Stamp> {
        self.buckets()
            .iter()
            .filter_map(|bucket| bucket.newest())
            .max()
    }
}

fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join("lock");
    let file = File::create(&path).map_err(StoreError::io(&path))?;
    file.try_lock().map_err(|source| StoreError::InUse {
        root: root.to_owned(),
        source,
    })?;
    Ok(file)
}

fn subdirectories(directory: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(directory).map_err(StoreError::io(directory))?;
    let names = entries.map(|entry| {
        let name = entry.map_err(StoreError::io(directory))?.file_name();
        Ok(name.to_string_lossy().into_owned())
    });
    names.collect()
}
