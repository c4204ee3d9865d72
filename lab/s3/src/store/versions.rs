//! The versions of a key in a bucket that keeps them.
//!
//! The current object is in the key's own file; earlier versions and delete markers are in a directory beside it. Each
//! operation moves files in an order that [`settle`] completes, whenever the process is killed.

use std::collections::BTreeMap;

use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::bucket::KeyLock;
use super::error::StoreError;
use super::index::{Entry, Version};
use super::name;
use crate::clock::Stamp;

impl KeyLock<'_> {
    /// Keeps the current object as an earlier version, and returns all versions, oldest first.
    pub(super) async fn keep_current(&self) -> Result<Vec<Version>, StoreError> {
        let versions = self.bucket.index.versions(&self.key);
        if let Some(current) = versions.last().filter(|last| !last.is_delete_marker()) {
            let kept = name::to_version_path(&self.path, current)?;
            self.bucket.files.copy(&self.path, &kept).await?;
        }
        Ok(versions)
    }

    /// Puts a delete marker in place of the current object.
    pub(super) async fn mark_deleted(&self, id: Stamp) -> Result<(), StoreError> {
        let mut versions = self.keep_current().await?;
        let marker = Version { id, entry: None };
        let path = name::to_version_path(&self.path, &marker)?;
        let files = &self.bucket.files;
        files.put(&path, PutPayload::default()).await?;
        remove(files, &self.path).await?;
        versions.push(marker);
        self.bucket.index.set(&self.key, versions);
        Ok(())
    }

    /// Deletes a version for good, unless its retention holds. Returns whether it was a delete marker; succeeds if there
    /// is no such version.
    pub async fn delete_version(
        &self,
        id: Stamp,
        now: Stamp,
        bypass: bool,
    ) -> Result<bool, StoreError> {
        let mut versions = self.bucket.index.versions(&self.key);
        let Some(place) = versions.iter().position(|version| version.id == id) else {
            return Ok(false);
        };
        let version = versions.remove(place);
        if !version.is_delete_marker() {
            let object = self.bucket.read_version(&self.key, id).await?;
            let retention = object.head.retention;
            if retention.is_some_and(|retention| retention.holds(now, bypass)) {
                return Err(StoreError::Locked(id));
            }
        }
        let files = &self.bucket.files;
        remove(files, &name::to_version_path(&self.path, &version)?).await?;
        if place == versions.len() {
            match versions.last().filter(|last| !last.is_delete_marker()) {
                Some(last) => {
                    let kept = name::to_version_path(&self.path, last)?;
                    files.rename(&kept, &self.path).await?;
                }
                None => remove(files, &self.path).await?,
            }
        }
        self.bucket.index.set(&self.key, versions);
        Ok(version.is_delete_marker())
    }
}

/// Succeeds if there is no such file.
pub(super) async fn remove(files: &LocalFileSystem, path: &Path) -> Result<(), StoreError> {
    match files.delete(path).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The files of one key.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub current: Option<Entry>,
    /// Versions by id; `None` for a delete marker.
    pub earlier: BTreeMap<Stamp, Option<Entry>>,
}

/// Completes what a killed process began, and returns the versions, oldest first.
pub(super) async fn settle(
    files: &LocalFileSystem,
    key: &str,
    found: Found,
) -> Result<Vec<Version>, StoreError> {
    let path = name::to_path(key)?;
    let current = found.current.map(Version::from);
    let mut all = found.earlier;
    let kept_twice = current.as_ref().is_some_and(|it| all.contains_key(&it.id));
    all.extend(current.clone().map(|version| (version.id, version.entry)));
    let versions: Vec<_> = all
        .into_iter()
        .map(|(id, entry)| Version { id, entry })
        .collect();
    let last = versions.last();
    match &current {
        Some(current) if last != Some(current) => {
            let kept = name::to_version_path(&path, current)?;
            files.rename(&path, &kept).await?;
        }
        Some(current) if kept_twice => {
            remove(files, &name::to_version_path(&path, current)?).await?;
        }
        _ => {}
    }
    if let Some(last) =
        last.filter(|last| !last.is_delete_marker() && current.as_ref() != Some(last))
    {
        let kept = name::to_version_path(&path, last)?;
        files.rename(&kept, &path).await?;
    }
    Ok(versions)
}
