//! Versions that the ledger knows, and whose content other content has replaced since.
//!
//! A foreign object may be corrected; one of this system never changes. What the tables have of such a version can no
//! longer be read in the journal, and nothing tells a version that was from one that never was. So it is unproven at
//! best, and a difference where the content that is there now, or the tables themselves, do not bear it out.

use std::borrow::Cow;
use std::collections::HashMap;

use lambda_ingest::objects::Object;
use payment_core::record::read_object;
use payment_core::{ContentHash, Payment, PaymentKey};
use payment_store::Store;
use payment_store::audit::{LOOKUP_IDS_MAX, LedgerEntry, LineTable, RejectRow, Row, Rows};

use super::difference::{Difference, DifferenceKind, Findings, Named, Unreadable};
use super::ledger;
use super::scope::Scope;

/// The payments of the content that is there now. One may stand there several times, with other content.
type Payments = HashMap<PaymentKey, Vec<(ContentHash, Payment)>>;

/// Looks at what the tables have of these versions. `object` is what is there now, where that is ingested.
pub async fn replaced(
    store: &Store,
    scope: &Scope,
    entries: &[LedgerEntry],
    object: Option<&Object>,
    findings: &mut Findings,
) -> Result<(), Unreadable> {
    for entry in entries {
        if entry.key.is_own() {
            let detail = format!("ingested at {} as {}", entry.ingested_at, entry.etag);
            findings.differences.push(Difference::of_object(
                DifferenceKind::ObjectReplaced,
                &entry.key,
                Some(detail),
            ));
        } else {
            let detail = format!(
                "version {} with {} lines, ingested at {}, is not in S3",
                entry.etag, entry.lines, entry.ingested_at
            );
            let unproven =
                Difference::of_object(DifferenceKind::Unproven, &entry.key, Some(detail));
            findings.differences.push(unproven);
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
        let rows: Vec<_> = rows.iter().collect();
        let Some(end) = rows.last() else { break };
        last = Some(end.object_line);
        for row in &rows {
            found += 1;
            findings.counts.conflict_rows.matched += scope.mark(LineTable::Conflicts, row.id);
        }
        for rows in rows.chunks(LOOKUP_IDS_MAX) {
            let recorded = recorded(store, rows.iter().filter_map(Row::key)).await?;
            let recorded = recorded.by_payment();
            for row in rows {
                let now = object.map(|object| &*payments.get_or_insert_with(|| of(object)));
                let Some((kind, why)) =
                    wrong(row, row.key().and_then(|key| recorded.get(&key)), now)
                else {
                    continue;
                };
                let (payment, key) = (Some(row.into()), entry.key.as_str());
                let difference = Difference::of_line(kind, payment, key, row.object_line);
                let detail = format!("in conflicts; its object was replaced; {why}");
                findings.differences.push(difference.with(detail));
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
    let recorded = recorded(store, own.iter().filter_map(|row| row.key())).await?;
    let recorded = recorded.by_payment();
    for row in own {
        if row.key().is_none_or(|key| recorded.get(&key).is_none()) {
            let (payment, key) = (Named::by_reject(row), entry.key.as_str());
            let difference =
                Difference::of_line(DifferenceKind::Rejected, payment, key, row.object_line);
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
    let mut payments = Payments::new();
    for record in records {
        let of_key = payments.entry(record.payment.key().clone()).or_default();
        of_key.push((record.content_hash, record.payment));
    }
    payments
}

/// What is wrong about a conflict, by its payment's row and by the payments that the object holds now.
fn wrong(
    conflict: &Row<'_>,
    row: Option<&Row<'_>>,
    now: Option<&Payments>,
) -> Option<(DifferenceKind, Cow<'static, str>)> {
    let has_its_content = |row: &Row<'_>| row.content_hash == conflict.content_hash;
    if row.is_none_or(has_its_content) {
        let why = "no row has its id with other content";
        return Some((DifferenceKind::RowWithoutRecord, why.into()));
    }
    let now = now?;
    let Some(payments) = conflict.key().and_then(|key| now.get(&key)) else {
        let why = "no line has its payment";
        return Some((DifferenceKind::RowWithoutRecord, why.into()));
    };
    let mut payments = payments.iter();
    let Some((_, payment)) = payments.find(|(hash, _)| Some(*hash) == conflict.content_hash) else {
        return Some((
            DifferenceKind::Unproven,
            "its line has other content now".into(),
        ));
    };
    let columns = conflict.differing_columns(payment);
    // Members may stand in another order now, which no hash tells.
    (!columns.is_empty() && !conflict.matches_own_hash())
        .then(|| (DifferenceKind::RowDiffers, columns.join(", ").into()))
}

async fn recorded(
    store: &Store,
    payments: impl Iterator<Item = PaymentKey>,
) -> Result<Rows, Unreadable> {
    let payments: Vec<_> = payments.collect();
    Ok(store.rows_of(&payments.iter().collect::<Vec<_>>()).await?)
}
