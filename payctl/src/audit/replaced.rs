//! Versions that the ledger knows, and whose content other content has replaced since.
//!
//! A foreign object may be corrected; one of this system never changes. What the tables have of such a version can no
//! longer be read in the journal, so it counts only as far as the content that is there now bears it out.

use std::collections::HashSet;

use lambda_ingest::objects::Object;
use payment_core::record::read_object;
use payment_core::{ContentHash, PaymentId};
use payment_store::Store;
use payment_store::audit::{LOOKUP_IDS_MAX, LedgerEntry, LineTable, RejectRow, Row};

use super::difference::{Difference, Findings, Kind, Unreadable};
use super::ledger;
use super::scope::Scope;

/// The payments of the content that is there now.
type Payments = HashSet<(PaymentId, ContentHash)>;

/// Looks at what the tables have of these versions. `object` is what is there now, where that is ingested.
pub async fn replaced(
    store: &Store,
    scope: &Scope,
    entries: &[LedgerEntry],
    object: Option<&Object>,
    findings: &mut Findings,
) -> Result<(), Unreadable> {
    for entry in entries {
        if entry.key.is_own_batch() {
            let detail = format!("ingested at {} as {}", entry.ingested_at, entry.etag);
            findings.differences.push(Difference::of_object(
                Kind::ObjectReplaced,
                &entry.key,
                Some(detail),
            ));
        }
        findings.counts.replaced += 1;
        conflicts(store, scope, entry, object, findings).await?;
        rejects(store, scope, entry, findings).await?;
    }
    Ok(())
}

/// A conflict is a payment that came in: the journal has to hold it still.
async fn conflicts(
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
    object: Option<&Object>,
    findings: &mut Findings,
) -> Result<(), Unreadable> {
    let mut payments = None;
    let mut found = 0;
    let mut last = None;
    loop {
        let rows = store.conflicts_after(entry, last).await?;
        let Some(end) = rows.last() else { break };
        last = Some(end.object_line);
        for row in &rows {
            found += 1;
            findings.counts.conflict_rows.matched += scope.mark(LineTable::Conflicts, row.id);
            if let Some(object) = object
                && !is_among(payments.get_or_insert_with(|| of(object)), row)
            {
                let id = Some(row.payment_id.as_str());
                let difference = Difference::of_line(
                    Kind::RowWithoutRecord,
                    id,
                    entry.key.as_str(),
                    row.object_line,
                );
                findings
                    .differences
                    .push(difference.with("in conflicts; its object was replaced"));
            }
        }
    }
    let pair = (LineTable::Conflicts.name(), entry.conflicts, found);
    findings.differences.extend(ledger::differs(entry, &[pair]));
    Ok(())
}

/// A reject is no payment, unless this system wrote its line: then the payment has to be recorded by now.
async fn rejects(
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
    findings: &mut Findings,
) -> Result<(), Unreadable> {
    let mut found = 0;
    let mut last = None;
    loop {
        let rows = store.rejects_after(entry, last).await?;
        let Some(end) = rows.last() else { break };
        last = Some(end.object_line);
        for row in &rows {
            found += 1;
            findings.counts.reject_rows.matched += scope.mark(LineTable::Rejects, row.id);
        }
        let own: Vec<_> = rows.iter().filter(|row| row.is_own).collect();
        for own in own.chunks(LOOKUP_IDS_MAX) {
            unsettled(store, entry, own, findings).await?;
        }
    }
    let pair = (LineTable::Rejects.name(), entry.rejects, found);
    findings.differences.extend(ledger::differs(entry, &[pair]));
    Ok(())
}

async fn unsettled(
    store: &Store,
    entry: &LedgerEntry,
    own: &[&RejectRow],
    findings: &mut Findings,
) -> Result<(), Unreadable> {
    let ids: Vec<_> = own
        .iter()
        .filter_map(|row| PaymentId::parse(row.payment_id.as_deref()?))
        .collect();
    let recorded = store.rows_of(&ids.iter().collect::<Vec<_>>()).await?;
    for row in own {
        let id = row.payment_id.as_deref();
        if !id.is_some_and(|id| recorded.contains_key(id)) {
            let difference =
                Difference::of_line(Kind::Rejected, id, entry.key.as_str(), row.object_line);
            findings
                .differences
                .push(difference.with("its object was replaced"));
        }
    }
    Ok(())
}

fn of(object: &Object) -> Payments {
    let version = &object.version;
    let lines = read_object(&version.key, &object.body, version.stored_at);
    let records = lines.filter_map(|(_, record)| record.ok());
    records
        .map(|record| (record.payment.id().clone(), record.content_hash))
        .collect()
}

fn is_among(payments: &Payments, row: &Row) -> bool {
    let id = PaymentId::parse(&row.payment_id);
    let payment = id.zip(row.content_hash);
    payment.is_some_and(|payment| payments.contains(&payment))
}
