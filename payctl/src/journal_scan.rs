//! The journal compared with its ledger: a merge of two streams that are sorted alike, by the bytes of the keys.
//!
//! Alike but for one thing: the tables' collation fills the shorter key up with spaces, so `a` may come behind
//! `a\u{1}`, and among the versions of `a `. The entries of such a key are asked for by its name, and passed over where
//! they come in the stream.
//!
//! Both are read a page at a time, so its memory does not grow with the journal. What stands on one side alone may
//! have come or gone since its page was read: who reports it asks again.

use std::cmp::Ordering;
use std::collections::VecDeque;

use payment_core::ObjectKey;
use payment_store::Store;
use payment_store::audit::{KeySpan, LedgerEntry, VERSIONS_MAX};

use crate::journal::{Journal, ListError, Listed, Listing};
use crate::range::{Range, Segment};

/// One key: the object, and what the ledger has of it in its versions. One of them at least is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub key: ObjectKey,
    pub listed: Option<Listed>,
    /// Entries of the key, at most [`VERSIONS_MAX`].
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
pub struct JournalScan<'a> {
    log: &'a Journal,
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
    /// Keys whose entries were asked for by name, and are still to come.
    taken: Vec<ObjectKey>,
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

impl<'a> JournalScan<'a> {
    /// Over all keys of the segments; each step says whether its object lies in the range.
    pub fn new(log: &'a Journal, store: &'a Store, range: Range, segments: Vec<Segment>) -> Self {
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
    fn new(log: &'a Journal, store: &'a Store, segment: Segment) -> Self {
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
            taken: Vec::new(),
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
        if let Some(next) = &self.entry
            && collate(&next.key, key) != Ordering::Greater
        {
            entries = self.ledger.store.ledger_entries(key).await?;
            left_out = u64::from(entries.len() == VERSIONS_MAX);
            self.taken.push(key.clone());
        }
        Ok((entries, left_out))
    }

    /// Makes sure that an entry is at hand, if there is one.
    async fn next_entry(&mut self) -> Result<(), WalkError> {
        while self.entry.is_none() {
            let Some(entry) = self.ledger.next().await? else {
                return Ok(());
            };
            self.taken
                .retain(|key| collate(key, &entry.key) != Ordering::Less);
            if !self.taken.contains(&entry.key) {
                self.entry = Some(entry);
            }
        }
        Ok(())
    }
}

/// Compares two keys as the tables' collation does.
fn collate(one: &ObjectKey, other: &ObjectKey) -> Ordering {
    let bytes = one.as_str().len().max(other.as_str().len());
    let filled = |key: &ObjectKey| {
        let mut filled = key.as_str().as_bytes().to_vec();
        filled.resize(bytes, b' ');
        filled
    };
    filled(one).cmp(&filled(other))
}

impl Ledger<'_> {
    async fn next(&mut self) -> Result<Option<LedgerEntry>, payment_store::Error> {
        while self.page.is_empty() && !self.is_at_end {
            let page = self.store.ledger_page(&self.span, self.last.as_ref());
            let mut page = page.await?;
            self.is_at_end = page.is_empty();
            self.last = page.last().cloned();
            // To the collation, more keys may lie in the span.
            page.retain(|entry| self.span.contains(entry.key.as_str()));
            self.page = page.into();
        }
        Ok(self.page.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_compare_as_if_filled_up_with_spaces() {
        let key = |text| ObjectKey::parse(text).unwrap();
        for (one, other, order) in [
            ("a", "a ", Ordering::Equal),
            ("a", "a\u{1}", Ordering::Greater),
            ("a", "a \u{1}", Ordering::Greater),
            ("a", "a!", Ordering::Less),
            ("a", "a\u{e4}", Ordering::Less),
            ("b", "a\u{1}", Ordering::Greater),
        ] {
            assert_eq!(collate(&key(one), &key(other)), order, "{one:?} {other:?}");
        }
    }
}
