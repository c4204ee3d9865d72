//! A bucket's keys in memory, in S3's order.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

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

/// The index. Keys sort by their UTF-8 bytes, as S3 lists them.
#[derive(Debug, Default)]
pub struct Index(RwLock<BTreeMap<String, Entry>>);

impl Index {
    pub fn new(entries: BTreeMap<String, Entry>) -> Self {
        Self(RwLock::new(entries))
    }

    pub fn get(&self, key: &str) -> Option<Entry> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(key)
            .cloned()
    }

    pub fn insert(&self, key: &str, entry: Entry) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key.to_owned(), entry);
    }

    pub fn remove(&self, key: &str) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(key);
    }

    pub fn list(&self, query: &Query<'_>) -> Page {
        list(
            &self.0.read().unwrap_or_else(PoisonError::into_inner),
            query,
        )
    }

    pub fn newest(&self) -> Option<Stamp> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.values().map(|entry| entry.modified).max()
    }
}
