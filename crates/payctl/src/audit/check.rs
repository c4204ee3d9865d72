//! One object, line by line, against the rows, conflicts and rejects that its lines are to be.

use lambda_ingest::objects::ObjectError;
use payment_core::record::{self, Line};
use payment_core::{LogRecord, ObjectKey, RequestId};
use payment_store::Store;
use payment_store::audit::{LOOKUP_IDS_MAX, LedgerEntry, Row};

use super::difference::{Counts, Difference, Findings, Kind};
use super::{AuditError, Scope};
use crate::log::Log;

/// A line that is no row, and must be found elsewhere.
struct Elsewhere<'a> {
    line: u32,
    record: Option<&'a LogRecord>,
    /// Its id is held by other content; else there is no such row, or it is no payment.
    is_held: bool,
}

/// Holds all lines of the object against the database.
pub async fn check(
    log: &Log,
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
) -> Result<Findings, AuditError> {
    let key = &entry.key;
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(gone(entry)),
        Err(source) => return Err(AuditError::object(key, source)),
    };
    let mut findings = Findings {
        counts: Counts {
            objects: 1,
            ingested: 1,
            bytes: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
            ..Counts::default()
        },
        differences: Vec::new(),
    };
    let mut lines = record::read_object(key, &object.body, object.version.stored_at);
    loop {
        let chunk: Vec<Line> = lines.by_ref().take(LOOKUP_IDS_MAX).collect();
        if chunk.is_empty() {
            break;
        }
        check_lines(store, scope, entry, &chunk, &mut findings).await?;
    }
    if findings.differences.is_empty() {
        findings
            .differences
            .extend(ledger_differs(entry, &findings.counts));
    }
    Ok(findings)
}

fn gone(entry: &LedgerEntry) -> Findings {
    let detail = format!(
        "ingested at {} with {} lines",
        entry.ingested_at, entry.lines
    );
    Findings {
        counts: Counts::default(),
        differences: vec![Difference::of_object(
            Kind::ObjectGone,
            &entry.key,
            Some(detail),
        )],
    }
}

async fn check_lines(
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
    lines: &[Line],
    findings: &mut Findings,
) -> Result<(), AuditError> {
    let ids: Vec<_> = lines
        .iter()
        .filter_map(|(_, record)| Some(record.as_ref().ok()?.payment.id()))
        .collect();
    let rows = store.rows_of(&ids).await?;
    let mut elsewhere = Vec::new();
    for (line, record) in lines {
        findings.counts.lines += 1;
        let row = match record {
            Ok(record) => rows
                .get(record.payment.id().as_str())
                .map(|row| (record, row)),
            Err(_) => None,
        };
        let is_held = match row {
            Some((record, row)) if is_own(row, &entry.key, *line) => {
                findings.counts.matched += u64::from(scope.counts(row));
                compare(record, row, findings);
                continue;
            }
            Some((record, row)) if row.content_hash == record.content_hash => {
                findings.counts.duplicates += 1;
                continue;
            }
            other => other.is_some(),
        };
        elsewhere.push(Elsewhere {
            line: *line,
            record: record.as_ref().ok(),
            is_held,
        });
    }
    look_elsewhere(store, entry, &elsewhere, findings).await
}

fn is_own(row: &Row, key: &ObjectKey, line: u32) -> bool {
    row.object_line == line && row.object_key == key.as_str()
}

/// The line's own row: column by column, and not by its hash alone, which a change by hand leaves as it is.
fn compare(record: &LogRecord, row: &Row, findings: &mut Findings) {
    let mut columns = row.differing_columns(&record.payment);
    if row.content_hash != record.content_hash {
        columns.push("content_hash");
    }
    // Older systems wrote neither: there S3's time stands in, which a copy of the object changes.
    if let Some(request_id) = &record.request_id {
        if row.request_id.as_deref() != Some(RequestId::as_str(request_id)) {
            columns.push("request_id");
        }
        if row.received_at != record.received_at {
            columns.push("received_at");
        }
    }
    if columns.is_empty() {
        findings.counts.recorded += 1;
    } else {
        let id = Some(row.payment_id.as_str());
        let difference =
            Difference::of_line(Kind::RowDiffers, id, &row.object_key, row.object_line);
        findings
            .differences
            .push(difference.with(columns.join(", ")));
    }
}

async fn look_elsewhere(
    store: &Store,
    entry: &LedgerEntry,
    lines: &[Elsewhere<'_>],
    findings: &mut Findings,
) -> Result<(), AuditError> {
    let numbers = |of: fn(&Elsewhere<'_>) -> bool| -> Vec<u32> {
        lines
            .iter()
            .filter(|line| of(line))
            .map(|line| line.line)
            .collect()
    };
    let conflicts = store
        .conflicts_at(entry, &numbers(|line| line.is_held))
        .await?;
    let rejects = store.rejects_at(entry, &numbers(|_| true)).await?;
    for Elsewhere {
        line,
        record,
        is_held,
    } in lines
    {
        let hash = record.map(|record| record.content_hash);
        if *is_held && hash.is_some() && conflicts.get(line) == hash.as_ref() {
            findings.counts.conflicts += 1;
        } else if rejects.contains(line) {
            findings.counts.rejects += 1;
        } else {
            let kind = match (record, is_held) {
                (None, _) => Kind::RejectMissing,
                (Some(_), false) => Kind::RowMissing,
                (Some(_), true) => Kind::ConflictMissing,
            };
            let id = record.map(|record| record.payment.id().as_str());
            findings
                .differences
                .push(Difference::of_line(kind, id, entry.key.as_str(), *line));
        }
    }
    Ok(())
}

/// Where every line is found, the ledger must have counted the same.
fn ledger_differs(entry: &LedgerEntry, counts: &Counts) -> Option<Difference> {
    let pairs = [
        ("lines", u64::from(entry.lines), counts.lines),
        ("rows", u64::from(entry.rows), counts.recorded),
        ("duplicates", u64::from(entry.duplicates), counts.duplicates),
        ("conflicts", u64::from(entry.conflicts), counts.conflicts),
        ("rejects", u64::from(entry.rejects), counts.rejects),
    ];
    let differing: Vec<_> = pairs
        .into_iter()
        .filter(|(_, ledger, now)| ledger != now)
        .map(|(name, ledger, now)| format!("{name} {ledger}, found {now}"))
        .collect();
    (!differing.is_empty())
        .then(|| Difference::of_object(Kind::LedgerDiffers, &entry.key, Some(differing.join("; "))))
}
