//! The log beside its ledger: a merge of two streams that are sorted alike, by the bytes of the keys.
//!
//! Both are read a page at a time, so its memory does not grow with the log. What stands on one side alone may
//! have come or gone since its page was read: who reports it asks again.

use std::cmp::Ordering;
use std::collections::VecDeque;

use payment_store::Store;
use payment_store::audit::{KeySpan, LedgerEntry};

use crate::log::{ListError, Listed, Listing, Log};
use crate::range::{Range, Segment};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The object is there, and taken.
    Both(Listed, LedgerEntry),
    /// It is there, and not taken.
    LogOnly(Listed),
    /// It was taken, and is not there.
    LedgerOnly(LedgerEntry),
    /// It was taken, and is there with other content.
    Replaced(LedgerEntry),
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
    segments: VecDeque<Segment>,
    merge: Option<Merge<'a>>,
}

#[derive(Debug)]
struct Merge<'a> {
    segment: Segment,
    listing: Listing<'a>,
    ledger: Ledger<'a>,
    listed: Option<Listed>,
    entry: Option<LedgerEntry>,
    /// What else the last key had.
    more: VecDeque<Step>,
}

#[derive(Debug)]
struct Ledger<'a> {
    store: &'a Store,
    span: KeySpan,
    page: VecDeque<LedgerEntry>,
    last: Option<LedgerEntry>,
    is_at_end: bool,
}

impl<'a> Walk<'a> {
    pub fn new(log: &'a Log, store: &'a Store, range: &Range) -> Self {
        Self {
            log,
            store,
            segments: range.segments(&log.place.prefix).into(),
            merge: None,
        }
    }

    pub async fn next(&mut self) -> Result<Option<Step>, WalkError> {
        loop {
            if let Some(merge) = &mut self.merge
                && let Some(step) = merge.next().await?
            {
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
            listing: log.list(segment.clone()),
            ledger: Ledger {
                store,
                span: segment.span.clone(),
                page: VecDeque::new(),
                last: None,
                is_at_end: false,
            },
            segment,
            listed: None,
            entry: None,
            more: VecDeque::new(),
        }
    }

    async fn next(&mut self) -> Result<Option<Step>, WalkError> {
        while let Some(step) = self.merge().await? {
            let at = match &step {
                Step::Both(listed, _) | Step::LogOnly(listed) => listed.version.stored_at,
                Step::LedgerOnly(entry) | Step::Replaced(entry) => entry.ingested_at,
            };
            if self.segment.is_due(at) {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    async fn merge(&mut self) -> Result<Option<Step>, WalkError> {
        if let Some(step) = self.more.pop_front() {
            return Ok(Some(step));
        }
        if self.listed.is_none() {
            self.listed = self.listing.next().await?;
        }
        self.next_entry().await?;
        let order = match (&self.listed, &self.entry) {
            (None, None) => return Ok(None),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(listed), Some(entry)) => listed.version.key.cmp(&entry.key),
        };
        Ok(match order {
            Ordering::Less => self.listed.take().map(Step::LogOnly),
            Ordering::Greater => self.entry.take().map(Step::LedgerOnly),
            Ordering::Equal => match self.listed.take() {
                Some(listed) => Some(self.versions_of(listed).await?),
                None => None,
            },
        })
    }

    /// The object with its own entry, where there is one; the entries of its other versions follow.
    async fn versions_of(&mut self, listed: Listed) -> Result<Step, WalkError> {
        let mut own = None;
        while let Some(entry) = self.entry.take_if(|entry| entry.key == listed.version.key) {
            if own.is_none() && entry.is_of(&listed.version) {
                own = Some(entry);
            } else {
                self.more.push_back(Step::Replaced(entry));
            }
            self.next_entry().await?;
        }
        Ok(match own {
            Some(entry) => Step::Both(listed, entry),
            None => Step::LogOnly(listed),
        })
    }

    async fn next_entry(&mut self) -> Result<(), WalkError> {
        while self.entry.is_none()
            && let Some(entry) = self.ledger.next().await?
        {
            self.entry = Some(entry).filter(|entry| self.segment.holds(entry.key.as_str()));
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
