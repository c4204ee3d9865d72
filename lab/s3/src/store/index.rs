//! A bucket's keys in memory, in S3's order.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::listing::{Page, Query, list};
use super::object::Head;
use crate::clock::Stamp;

/// What a listing shows of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub etag: String,
    pub size: u64,
    pub modified: Stamp,
}

impl From<&Head> for Entry {
    fn from(head: &Head) -> Self {
        Self {
            etag: head.etag.clone(),
            size: head.size,
            modified: head.modified,
        }
    }
}

/// One version of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// The version id: when the object was written or deleted.
    pub id: Stamp,
    /// `None` for a delete marker.
    pub entry: Option<Entry>,
}

impl Version {
    pub fn is_delete_marker(&self) -> bool {
        self.entry.is_none()
    }
}

impl From<Entry> for Version {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.modified,
            entry: Some(entry),
        }
    }
}

/// A version as it is listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedVersion {
    pub key: String,
    pub version: Version,
    pub is_latest: bool,
}

/// Where a listing of versions begins: behind this version of this key, or behind all of its versions.
#[derive(Clone, Debug)]
pub struct VersionMarker {
    pub key: String,
    pub id: Option<Stamp>,
}

impl VersionMarker {
    fn skips(&self, key: &str, id: Stamp) -> bool {
        key == self.key && self.id.is_none_or(|last| id >= last)
    }
}

/// The index. Keys sort by their UTF-8 bytes, as S3 lists them.
#[derive(Debug, Default)]
pub struct Index(RwLock<Keys>);

#[derive(Debug, Default)]
struct Keys {
    objects: BTreeMap<String, Entry>,
    /// What is not a current object, oldest first.
    earlier: BTreeMap<String, Vec<Version>>,
}

impl Index {
    pub fn new(found: BTreeMap<String, Vec<Version>>) -> Self {
        let mut keys = Keys::default();
        for (key, versions) in found {
            keys.set(&key, versions);
        }
        Self(RwLock::new(keys))
    }

    pub fn get(&self, key: &str) -> Option<Entry> {
        self.read().objects.get(key).cloned()
    }

    /// Returns all versions of `key`, oldest first.
    pub fn versions(&self, key: &str) -> Vec<Version> {
        self.read().versions(key)
    }

    /// Replaces all versions of `key`, oldest first. The last one is the current object, unless it is a delete marker.
    pub fn set(&self, key: &str, versions: Vec<Version>) {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        keys.set(key, versions);
    }

    pub fn list(&self, query: &Query<'_>) -> Page {
        list(&self.read().objects, query)
    }

    /// Returns up to `limit` versions, the newest of a key first, and whether there are more.
    pub fn list_versions(
        &self,
        prefix: &str,
        after: Option<&VersionMarker>,
        limit: usize,
    ) -> (Vec<ListedVersion>, bool) {
        let keys = self.read();
        let first = after.map_or(prefix, |marker| prefix.max(&marker.key));
        // Each key has a version to list, except for the first, which an earlier page may have ended with.
        let names = keys.names(prefix, first, limit.saturating_add(2));
        let listed = names.into_iter().flat_map(|key| {
            let newest_first = keys.versions(key).into_iter().rev().enumerate();
            newest_first.map(|(place, version)| ListedVersion {
                key: key.to_owned(),
                version,
                is_latest: place == 0,
            })
        });
        let skips = |listed: &ListedVersion| {
            after.is_some_and(|marker| marker.skips(&listed.key, listed.version.id))
        };
        let mut listed = listed.filter(|listed| !skips(listed));
        let page = listed.by_ref().take(limit).collect();
        (page, listed.next().is_some())
    }

    pub fn has_earlier_versions(&self) -> bool {
        !self.read().earlier.is_empty()
    }

    pub fn newest(&self) -> Option<Stamp> {
        let keys = self.read();
        let objects = keys.objects.values().map(|entry| entry.modified);
        let earlier = keys.earlier.values().flatten().map(|version| version.id);
        objects.chain(earlier).max()
    }

    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keys {
    fn versions(&self, key: &str) -> Vec<Version> {
        let current = self.objects.get(key).cloned().map(Version::from);
        let earlier = self.earlier.get(key).into_iter().flatten().cloned();
        earlier.chain(current).collect()
    }

    fn set(&mut self, key: &str, mut versions: Vec<Version>) {
        let current = versions.pop_if(|last| !last.is_delete_marker());
        match current.and_then(|version| version.entry) {
            Some(entry) => self.objects.insert(key.to_owned(), entry),
            None => self.objects.remove(key),
        };
        if versions.is_empty() {
            self.earlier.remove(key);
        } else {
            self.earlier.insert(key.to_owned(), versions);
        }
    }

    /// Returns the first `limit` keys with a prefix, from `first` on.
    fn names(&self, prefix: &str, first: &str, limit: usize) -> BTreeSet<&str> {
        fn of<'a, T>(
            map: &'a BTreeMap<String, T>,
            prefix: &str,
            first: &str,
            limit: usize,
        ) -> impl Iterator<Item = &'a str> {
            map.range::<str, _>((Bound::Included(first), Bound::Unbounded))
                .map(|(key, _)| key.as_str())
                .take_while(move |key| key.starts_with(prefix))
                .take(limit)
        }
        let objects = of(&self.objects, prefix, first, limit);
        objects
            .chain(of(&self.earlier, prefix, first, limit))
            .collect()
    }
}
