//! The journal compared with its ledger: a merge of two streams that are sorted alike, by the bytes of the keys.
//!
//! Both are read a page at a time, so its memory does not grow with the journal. What stands on one side alone may
//! have come or gone since its page was read: who reports it asks again.

use std::collections::VecDeque;

use payment_core::ObjectKey;
use payment_store::Store;
use payment_store::audit::{KeySpan, LedgerEntry, VERSIONS_MAX};

use crate::log::{ListError, Listed, Listing, Log};
use crate::range::{Range, Segment};

/// One key: the object, and what the ledger has of it in its versions. One of them at least is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub key: ObjectKey,
    pub listed: Option<Listed>,
    /// At most [`VERSIONS_MAX`].
    pub entries: Vec<LedgerEntry>,
    /// Entries of the key that were counted, and left out.
    pub left_out: u64,
    /// The object that is listed lies outside the range.
    pub is_outside: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum WalkError {
    #[error(transparent)]
    List(#[from] ListError),
    #[error("the ledger can't be read")]
    Store(#[from] payment_store::Error),
}

#[derive(Debug)]
pub struct Walk<'a> {
    log: &'a Log,
    store: &'a Store,
    range: Range,
    segments: VecDeque<Segment>,
    merge: Option<Merge<'a>>,
}

#[derive(Debug)]
struct Merge<'a> {
    listing: Option<Listing<'a>>,
    ledger: Ledger<'a>,
    listed: Option<Listed>,
    entry: Option<LedgerEntry>,
}

#[derive(Debug)]
struct Ledger<'a> {
    store: &'a Store,
    span: KeySpan,
    page: VecDeque<LedgerEntry>,
    last: Option<LedgerEntry>,
    is_at_end: bool,
}

impl Step {
    /// Whether the object is there, as its listing shows it, and not ingested as far as the entries tell.
    pub fn is_missing(&self) -> bool {
        let is_own = |listed: &Listed| {
            self.entries
                .iter()
                .any(|entry| entry.is_of(&listed.version))
        };
        self.listed.as_ref().is_some_and(|listed| !is_own(listed))
    }
}

impl<'a> Walk<'a> {
    /// Over all keys of the segments; each step says whether its object lies in the range.
    pub fn new(log: &'a Log, store: &'a Store, range: Range, segments: Vec<Segment>) -> Self {
        Self {
            log,
            store,
            range,
            segments: segments.into(),
            merge: None,
        }
    }

    pub async fn next(&mut self) -> Result<Option<Step>, WalkError> {
        loop {
            if let Some(merge) = &mut self.merge
                && let Some(mut step) = merge.next().await?
            {
                let (range, prefix) = (self.range, &self.log.place.prefix);
                step.is_outside = step.listed.as_ref().is_some_and(|listed| {
                    !range.holds(prefix, step.key.as_str(), listed.version.stored_at)
                });
                return Ok(Some(step));
            }
            let Some(segment) = self.segments.pop_front() else {
                return Ok(None);
            };
            self.merge = Some(Merge::new(self.log, self.store, segment));
        }
    }
}

impl<'a> Merge<'a> {
    fn new(log: &'a Log, store: &'a Store, segment: Segment) -> Self {
        Self {
            ledger: Ledger {
                store,
                span: segment.span.clone(),
                page: VecDeque::new(),
                last: None,
                is_at_end: false,
            },
            listing: log.list(segment),
            listed: None,
            entry: None,
        }
    }

    async fn next(&mut self) -> Result<Option<Step>, WalkError> {
        if self.listed.is_none()
            && let Some(listing) = &mut self.listing
        {
            self.listed = listing.next().await?;
        }
        self.next_entry().await?;
        let keys = [
            self.listed.as_ref().map(|listed| &listed.version.key),
            self.entry.as_ref().map(|entry| &entry.key),
        ];
        let Some(key) = keys.into_iter().flatten().min().cloned() else {
            return Ok(None);
        };
        let listed = self.listed.take_if(|listed| listed.version.key == key);
        let (entries, left_out) = self.entries_of(&key).await?;
        Ok(Some(Step {
            key,
            listed,
            entries,
            left_out,
            is_outside: false,
        }))
    }

    async fn entries_of(&mut self, key: &ObjectKey) -> Result<(Vec<LedgerEntry>, u64), WalkError> {
        let (mut entries, mut left_out) = (Vec::new(), 0);
        while let Some(entry) = self.entry.take_if(|entry| entry.key == *key) {
            if entries.len() < VERSIONS_MAX {
                entries.push(entry);
            } else {
                left_out += 1;
            }
            self.next_entry().await?;
        }
        Ok((entries, left_out))
    }

    async fn next_entry(&mut self) -> Result<(), WalkError> {
        if self.entry.is_none() {
            self.entry = self.ledger.next().await?;
        }
        Ok(())
    }
}

impl Ledger<'_> {
    async fn next(&mut self) -> Result<Option<LedgerEntry>, payment_store::Error> {
        if self.page.is_empty() && !self.is_at_end {
            let page = self.store.ledger_page(&self.span, self.last.as_ref());
            self.page = page.await?.into();
            self.is_at_end = self.page.is_empty();
            self.last = self.page.back().cloned();
        }
        Ok(self.page.pop_front())
    }
}
