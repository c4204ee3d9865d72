//! Rows that no line of the log accounts for: a row that someone inserted, or whose id or origin was changed.
//!
//! Every row that a line was found to be was counted; the database counts all. Where it has more, the rows are gone
//! through in the order of their numbers, in which those of one object stand close together: a few objects are
//! kept, so that each is read about once.

use std::collections::HashMap;
use std::sync::Arc;

use hashlink::LruCache;
use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{ObjectKey, PaymentId};
use payment_store::audit::{Row, Table};

use super::difference::{Difference, Findings, Kind};
use super::{Audit, AuditError, Report};
use crate::progress;

/// Rows of one count: a scan of seconds at most.
const COUNT_SPAN: u64 = 500_000;

const PAGE: u64 = 1000;

/// Objects whose ids are kept: as many as were ingested at one time, and to spare.
const OBJECTS_KEPT: usize = 64;

/// Lines of all that are kept.
const LINES_KEPT: usize = 200_000;

/// The payment ids of an object, by line.
type Lines = HashMap<u32, PaymentId>;

pub async fn audit(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    let last = audit.store.last_row(Table::Transactions).await?;
    let bar = progress::bar("rows counted", last);
    let mut rows = 0;
    for after in spans(last, COUNT_SPAN) {
        let until = after.saturating_add(COUNT_SPAN);
        let (span, recorded_by) = (&audit.scope.span, audit.scope.recorded_by);
        rows += audit
            .store
            .count_rows(after, until, span, recorded_by)
            .await?;
        bar.inc(COUNT_SPAN);
    }
    bar.finish_and_clear();
    // An object that was on its way may have been taken since; that, too, is then found in order.
    if rows == report.counts().matched {
        return Ok(());
    }
    search(audit, last, report).await
}

async fn search(audit: &Audit, last: u64, report: &mut Report) -> Result<(), AuditError> {
    let bar = progress::bar("rows searched", last);
    let mut kept = LruCache::new(OBJECTS_KEPT);
    for after in spans(last, PAGE) {
        let until = after.saturating_add(PAGE);
        let rows = audit
            .store
            .rows_between(Table::Transactions, after, until)
            .await?;
        for row in rows.iter().filter(|row| audit.scope.counts(row)) {
            let lines = lines(audit, &mut kept, row).await?;
            let own = lines.get(&row.object_line).map(PaymentId::as_str);
            if own != Some(row.payment_id.as_str()) {
                report.add(without_record(row))?;
            }
        }
        bar.inc(PAGE);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn lines(
    audit: &Audit,
    kept: &mut LruCache<String, Arc<Lines>>,
    row: &Row,
) -> Result<Arc<Lines>, AuditError> {
    if let Some(lines) = kept.get(&row.object_key) {
        return Ok(Arc::clone(lines));
    }
    let lines = Arc::new(match ObjectKey::parse(&row.object_key) {
        Some(key) => read(audit, &key).await?,
        None => Lines::new(),
    });
    kept.insert(row.object_key.clone(), Arc::clone(&lines));
    while kept.len() > 1 && kept.iter().map(|(_, lines)| lines.len()).sum::<usize>() > LINES_KEPT {
        kept.remove_lru();
    }
    Ok(lines)
}

/// An object that is gone has no lines.
async fn read(audit: &Audit, key: &ObjectKey) -> Result<Lines, AuditError> {
    match audit.log.get(key).await {
        Ok(object) => Ok(read_object(key, &object.body, object.version.stored_at)
            .filter_map(|(line, record)| Some((line, record.ok()?.payment.id().clone())))
            .collect()),
        Err(ObjectError::Gone) => Ok(Lines::new()),
        Err(source) => Err(AuditError::object(key, source)),
    }
}

fn without_record(row: &Row) -> Findings {
    let id = Some(row.payment_id.as_str());
    Findings {
        differences: vec![Difference::of_line(
            Kind::RowWithoutRecord,
            id,
            &row.object_key,
            row.object_line,
        )],
        ..Findings::default()
    }
}

/// Where each span of row numbers begins, so that together they reach the last.
pub fn spans(last: u64, length: u64) -> impl Iterator<Item = u64> {
    std::iter::successors(Some(0_u64), move |after| after.checked_add(length))
        .take_while(move |after| *after < last)
}
