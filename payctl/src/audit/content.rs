//! What an object holds, as far as rows can name it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hashlink::LruCache;
use lambda_ingest::objects::ObjectError;
use payment_core::object::{HEADER_LINE, WHOLE_OBJECT};
use payment_core::record::Line;
use payment_core::{ETag, ObjectKey, PaymentKey};
use payment_store::audit::{LineTable, Origin};
use payment_store::{Part, Parts as _, Store};

use super::difference::Unreadable;
use crate::log::Log;

/// Objects whose payments are kept: as many as were ingested at one time, and to spare.
const OBJECTS_KEPT: usize = 64;

/// Lines of all that are kept.
const LINES_KEPT: usize = 200_000;

/// After so many objects that could not be read, one after the other, the rest are counted and not tried.
const UNREAD_MAX: u32 = 3;

/// What an object says of a row that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    Right,
    /// A line of a corrected object may have moved: the row is to be held against where the payment is now.
    Moved,
    None,
}

#[derive(Default)]
pub struct Content {
    etag: Option<ETag>,
    /// All lines; those that are payments with what identifies them.
    lines: HashMap<u32, Option<PaymentKey>>,
    payments: HashSet<PaymentKey>,
    /// Whether the ledger has other versions: then a row may be of one of them.
    is_replaced: bool,
}

impl Content {
    /// An object that is gone, and one that no key names, has no lines.
    async fn read(log: &Log, store: &Store, key: &str) -> Result<Self, Unreadable> {
        let Some(key) = ObjectKey::parse(key) else {
            return Ok(Self::default());
        };
        let mut parts = match log.parts(&key).await {
            Ok(parts) => parts,
            Err(ObjectError::Gone) => return Ok(Self::default()),
            Err(error) => return Err(error.into()),
        };
        let version = parts.version().clone();
        let entries = store.ledger_entries(&key).await?;
        let numbered = |(line, record): &Line| {
            let record = record.as_ref().ok();
            (*line, record.map(|record| record.payment.key().clone()))
        };
        let mut lines = HashMap::new();
        loop {
            match parts.next().await? {
                Part::Lines(part) => lines.extend(part.iter().map(numbered)),
                Part::End => break,
                Part::Refused(_) => {
                    lines = HashMap::from([(WHOLE_OBJECT, None)]);
                    break;
                }
            }
        }
        if parts.header().is_some() {
            lines.insert(HEADER_LINE, None);
        }
        Ok(Self {
            payments: lines.values().flatten().cloned().collect(),
            lines,
            is_replaced: entries.iter().any(|entry| !entry.is_of(&version)),
            etag: Some(version.etag),
        })
    }

    pub fn accounts_for(&self, table: LineTable, origin: &Origin) -> Account {
        let payment = origin.payment();
        let line = self.lines.get(&origin.line);
        let is_at_line = payment.is_some() && line.is_some_and(|own| *own == payment);
        let is_right = match table {
            LineTable::Transactions => is_at_line,
            LineTable::Conflicts => self.is_of_another_version(origin) || is_at_line,
            LineTable::Rejects => self.is_of_another_version(origin) || line.is_some(),
        };
        let is_here = || payment.is_some_and(|payment| self.payments.contains(&payment));
        if is_right {
            Account::Right
        } else if table == LineTable::Transactions && self.is_replaced && is_here() {
            Account::Moved
        } else {
            Account::None
        }
    }

    /// How many rows those have was held against the ledger.
    fn is_of_another_version(&self, origin: &Origin) -> bool {
        let own = self.etag.as_ref().map(ETag::as_str);
        self.is_replaced
            && origin
                .etag
                .as_deref()
                .is_some_and(|etag| Some(etag) != own && !etag.is_empty())
    }
}

/// The last objects that were read.
pub struct Contents<'a> {
    log: &'a Log,
    store: &'a Store,
    /// `None` for one that can't be read.
    kept: LruCache<String, Option<Arc<Content>>>,
    unread_in_a_row: u32,
}

impl<'a> Contents<'a> {
    pub fn new(log: &'a Log, store: &'a Store) -> Self {
        Self {
            log,
            store,
            kept: LruCache::new(OBJECTS_KEPT),
            unread_in_a_row: 0,
        }
    }

    /// `None` if the object can't be read.
    pub async fn of(&mut self, key: &str) -> Option<Arc<Content>> {
        if let Some(content) = self.kept.get(key) {
            return content.clone();
        }
        if self.unread_in_a_row >= UNREAD_MAX {
            return None;
        }
        let content = Content::read(self.log, self.store, key).await;
        self.unread_in_a_row = match content {
            Ok(_) => 0,
            Err(_) => self.unread_in_a_row + 1,
        };
        let content = content.ok().map(Arc::new);
        self.kept.insert(key.to_owned(), content.clone());
        while self.kept.len() > 1 && self.lines() > LINES_KEPT {
            self.kept.remove_lru();
        }
        content
    }

    fn lines(&self) -> usize {
        let contents = self.kept.iter().filter_map(|(_, content)| content.as_ref());
        contents.map(|content| content.lines.len()).sum()
    }
}
