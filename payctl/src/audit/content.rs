//! What an object holds, as far as rows can name it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hashlink::LruCache;
use lambda_ingest::objects::ObjectError;
use payment_core::object::{HEADER_LINE, WHOLE_OBJECT};
use payment_core::record::Line;
use payment_core::{ContentHash, ETag, ObjectKey, PaymentKey, Timestamp};
use payment_store::audit::{LineTable, Origin, Row};
use payment_store::{Part, Parts as _, Store};

use super::difference::Unreadable;
use crate::journal::Journal;

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
    /// All lines; those that are payments with what a row is held against.
    lines: HashMap<u32, Option<Held>>,
    payments: HashSet<PaymentKey>,
    /// Whether the ledger has other versions: then a row may be of one of them.
    is_replaced: bool,
}

struct Held {
    payment: PaymentKey,
    content_hash: ContentHash,
    received_at: Timestamp,
}

impl Content {
    /// An object that is gone, and one that no key names, has no lines. A version that is not ingested accounts for no
    /// row, and nobody knows what the one before it held: `None`.
    async fn read(log: &Journal, store: &Store, key: &str) -> Result<Option<Self>, Unreadable> {
        let Some(key) = ObjectKey::parse(key) else {
            return Ok(Some(Self::default()));
        };
        let mut parts = match log.parts(&key).await {
            Ok(parts) => parts,
            Err(ObjectError::Gone) => return Ok(Some(Self::default())),
            Err(error) => return Err(error.into()),
        };
        let version = parts.version().clone();
        if store.ledger_entry(&version).await?.is_none() {
            return Ok(None);
        }
        let entries = store.ledger_entries(&key).await?;
        let numbered = |(line, record): &Line| {
            let held = record.as_ref().ok().map(|record| Held {
                payment: record.payment.key().clone(),
                content_hash: record.content_hash,
                received_at: record.received_at,
            });
            (*line, held)
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
        let payments = lines.values().flatten().map(|held| held.payment.clone());
        Ok(Some(Self {
            payments: payments.collect(),
            lines,
            is_replaced: entries.iter().any(|entry| !entry.is_of(&version)),
            etag: Some(version.etag),
        }))
    }

    pub fn accounts_for(&self, table: LineTable, origin: &Origin) -> Account {
        let payment = origin.payment();
        let line = self.lines.get(&origin.line);
        let own = line.and_then(|held| Some(&held.as_ref()?.payment));
        let is_at_line = own.is_some() && own == payment.as_ref();
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

    /// Whether the row says what the line says that it names.
    pub fn is_line_of(&self, row: &Row<'_>) -> bool {
        let held = self.lines.get(&row.object_line).and_then(Option::as_ref);
        held.is_some_and(|held| row.is_of_line(held.content_hash, held.received_at))
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
    log: &'a Journal,
    store: &'a Store,
    /// `None` for one that can't be read, or is not ingested.
    kept: LruCache<String, Option<Arc<Content>>>,
    unread_in_a_row: u32,
}

impl<'a> Contents<'a> {
    pub fn new(log: &'a Journal, store: &'a Store) -> Self {
        Self {
            log,
            store,
            kept: LruCache::new(OBJECTS_KEPT),
            unread_in_a_row: 0,
        }
    }

    /// `None` if the object can't be read, or is not ingested as it is now.
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
        let content = content.ok().flatten().map(Arc::new);
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
