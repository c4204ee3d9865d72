//! Rows that no line of the journal accounts for: one that someone inserted, or whose id or origin was changed.
//!
//! Every row of every table is counted. One that names an object which was never ingested is a difference, whatever the
//! range. Of the others, those of the range must be the rows that the lines were found to be; where they are not, they
//! are gone through in the order of their numbers, in which those of one object stand close together: a few objects
//! are kept, so that each is read about once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hashlink::LruCache;
use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{ETag, ObjectKey, PaymentId};
use payment_store::Store;
use payment_store::audit::{LineTable, Origin};
use program::chain;

use super::difference::{Difference, Findings, Kind};
use super::journal::Unreadable;
use super::marks::Marks;
use super::{Audit, AuditError, Report};
use crate::progress;

/// Objects whose ids are kept: as many as were ingested at one time, and to spare.
const OBJECTS_KEPT: usize = 64;

/// Lines of all that are kept.
const LINES_KEPT: usize = 200_000;

/// What an object holds, as far as rows can name it.
#[derive(Default)]
struct Content {
    etag: Option<ETag>,
    /// All lines; those that are payments with their ids.
    lines: HashMap<u32, Option<PaymentId>>,
    ids: HashSet<PaymentId>,
    /// Whether the ledger has other versions: then a row may be of one of them.
    is_replaced: bool,
}

type Kept = LruCache<String, Option<Arc<Content>>>;

pub async fn audit(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    for table in LineTable::ALL {
        match count(audit, table, report).await {
            Ok(()) => {}
            Err(AuditError::Store(error)) => report.gap(format!(
                "the rest of the rows of {}: {}",
                table.name(),
                chain(&error)
            )),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn count(audit: &Audit, table: LineTable, report: &mut Report) -> Result<(), AuditError> {
    let last = audit.scope.last_row(table);
    let bar = progress::bar(table.name(), last);
    let mut inside = Marks::default();
    let mut next = Some(0);
    while let Some(from) = next {
        let page = audit.store.origins(table, from, last).await?;
        let Some(end) = page.last() else { break };
        next = end.id.checked_add(1);
        let mut findings = Findings::default();
        for origin in &page {
            if !origin.is_in_ledger {
                findings.differences.push(without_record(
                    table,
                    origin,
                    "its object was never ingested",
                ));
            } else if audit.scope.holds(&origin.key) {
                inside += audit.scope.mark(table, origin.id);
                findings.counts.of(table).rows += 1;
            } else {
                findings.counts.of(table).outside += 1;
            }
        }
        report.add(findings)?;
        bar.set_position(end.id);
    }
    bar.finish_and_clear();
    // An object that was on its way may have been ingested since; that, too, is then found in order.
    let matched = report.counts().clone().of(table).matched;
    if inside == matched {
        return Ok(());
    }
    search(audit, table, report).await
}

async fn search(audit: &Audit, table: LineTable, report: &mut Report) -> Result<(), AuditError> {
    let last = audit.scope.last_row(table);
    let bar = progress::bar("rows searched", last);
    let mut kept = LruCache::new(OBJECTS_KEPT);
    let mut next = Some(0);
    while let Some(from) = next {
        let page = audit.store.origins(table, from, last).await?;
        let Some(end) = page.last() else { break };
        next = end.id.checked_add(1);
        let mut findings = Findings::default();
        let of_range = page
            .iter()
            .filter(|origin| origin.is_in_ledger && audit.scope.holds(&origin.key))
            // Such an object is looked at by its own key.
            .filter(|origin| ObjectKey::parse(&origin.key).is_none_or(|key| !key.is_shortened()));
        for origin in of_range {
            match content(audit, &mut kept, &origin.key).await {
                Some(content) if content.accounts_for(table, origin) => {}
                Some(_) => findings.differences.push(without_record(table, origin, "")),
                None => findings.counts.of(table).unread += 1,
            }
        }
        report.add(findings)?;
        bar.set_position(end.id);
    }
    bar.finish_and_clear();
    Ok(())
}

impl Content {
    fn accounts_for(&self, table: LineTable, origin: &Origin) -> bool {
        let id = origin.payment_id.as_deref();
        let line = self.lines.get(&origin.line);
        let is_at_line = line.is_some_and(|own| own.as_ref().map(PaymentId::as_str) == id);
        match table {
            // A line of a corrected object may have moved.
            LineTable::Transactions => {
                let is_moved =
                    self.is_replaced && self.ids.iter().any(|own| Some(own.as_str()) == id);
                is_at_line || is_moved
            }
            LineTable::Conflicts => self.is_of_another_version(origin) || is_at_line,
            LineTable::Rejects => self.is_of_another_version(origin) || line.is_some(),
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

/// `None` where the object can't be read.
async fn content(audit: &Audit, kept: &mut Kept, key: &str) -> Option<Arc<Content>> {
    if let Some(content) = kept.get(key) {
        return content.clone();
    }
    let content = match ObjectKey::parse(key) {
        Some(key) => read(audit, &audit.store, &key).await.ok(),
        None => Some(Content::default()),
    };
    let content = content.map(Arc::new);
    kept.insert(key.to_owned(), content.clone());
    let lines = |kept: &Kept| -> usize {
        let lines =
            |content: &Option<Arc<Content>>| content.as_ref().map_or(0, |one| one.lines.len());
        kept.iter().map(|(_, content)| lines(content)).sum()
    };
    while kept.len() > 1 && lines(kept) > LINES_KEPT {
        kept.remove_lru();
    }
    content
}

/// An object that is gone has no lines.
async fn read(audit: &Audit, store: &Store, key: &ObjectKey) -> Result<Content, Unreadable> {
    let object = match audit.log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Content::default()),
        Err(error) => return Err(error.into()),
    };
    let entries = store.ledger_entries(key).await?;
    let lines: HashMap<_, _> = read_object(key, &object.body, object.version.stored_at)
        .map(|(line, record)| (line, record.ok().map(|record| record.payment.id().clone())))
        .collect();
    Ok(Content {
        ids: lines.values().flatten().cloned().collect(),
        lines,
        is_replaced: entries.iter().any(|entry| !entry.is_of(&object.version)),
        etag: Some(object.version.etag),
    })
}

fn without_record(table: LineTable, origin: &Origin, why: &str) -> Difference {
    let id = origin.payment_id.as_deref();
    let difference = Difference::of_line(Kind::RowWithoutRecord, id, &origin.key, origin.line);
    let table = match table {
        LineTable::Transactions => "",
        LineTable::Conflicts => "in conflicts",
        LineTable::Rejects => "in rejects",
    };
    let detail: Vec<_> = [table, why]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    if detail.is_empty() {
        difference
    } else {
        difference.with(detail.join("; "))
    }
}
