//! One object, line by line, against the rows, conflicts and rejects that its lines are to be.

use std::collections::HashMap;

use lambda_ingest::objects::Object;
use payment_core::record::{self, Line, RejectedLine};
use payment_core::{LogRecord, PaymentId};
use payment_store::Store;
use payment_store::audit::{LOOKUP_IDS_MAX, LedgerEntry, LineTable, Row, Stored};

use super::Scope;
use super::counts::Counts;
use super::difference::{Difference, Findings, Kind};
use super::journal::Unreadable;

/// What a line is, by the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Row,
    Duplicate,
    Conflict,
    /// A payment that no table has.
    Nowhere,
    /// A payment whose id is held by other content, and which `conflicts` lacks.
    Unheld,
    NoPayment,
}

/// An object at work: what its lines were found to be, as the ledger counts them.
struct Check<'a> {
    store: &'a Store,
    scope: &'a Scope,
    entry: &'a LedgerEntry,
    stored: Stored,
    findings: Findings,
    /// Rows, duplicates, conflicts and rejects, at the time when the object was ingested.
    ledger: [u64; 4],
}

/// Holds all lines of the object against the database.
pub async fn check(
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
    object: &Object,
    stored: Stored,
) -> Result<Findings, Unreadable> {
    let counts = Counts {
        objects: 1,
        ingested: 1,
        bytes: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
        ..Counts::default()
    };
    let mut check = Check {
        store,
        scope,
        entry,
        stored,
        findings: Findings {
            counts,
            ..Findings::default()
        },
        ledger: [0; 4],
    };
    let mut lines = record::read_object(&object.version.key, &object.body, stored.at);
    loop {
        let chunk: Vec<Line> = lines.by_ref().take(LOOKUP_IDS_MAX).collect();
        let (Some((first, _)), Some((last, _))) = (chunk.first(), chunk.last()) else {
            break;
        };
        check.lines(&chunk, (*first, *last)).await?;
    }
    if check.findings.differences.is_empty() {
        let difference = check.ledger_differs();
        check.findings.differences.extend(difference);
    }
    Ok(check.findings)
}

impl Check<'_> {
    async fn lines(&mut self, lines: &[Line], span: (u32, u32)) -> Result<(), Unreadable> {
        let ids: Vec<&PaymentId> = lines
            .iter()
            .filter_map(|(_, record)| Some(record.as_ref().ok()?.payment.id()))
            .collect();
        let rows = self.store.rows_of(&ids).await?;
        let conflicts = self.store.conflicts_between(self.entry, span).await?;
        let rejects = self.store.rejects_between(self.entry, span).await?;
        for (line, record) in lines {
            self.findings.counts.lines += 1;
            let found = match record {
                Ok(record) => self.payment(*line, record, lines, &rows, &conflicts),
                Err(_) => Found::NoPayment,
            };
            if found != Found::Conflict
                && let Some(conflict) = conflicts.get(line)
            {
                self.note_row(Kind::RowWithoutRecord, conflict, "in conflicts");
            }
            self.settle(*line, record.as_ref(), found, rejects.get(line).copied());
        }
        Ok(())
    }

    /// A line that is a payment: its row, or what stands for one.
    fn payment(
        &mut self,
        line: u32,
        record: &LogRecord,
        lines: &[Line],
        rows: &HashMap<String, Row>,
        conflicts: &HashMap<u32, Row>,
    ) -> Found {
        let Some(row) = rows.get(record.payment.id().as_str()) else {
            return Found::Nowhere;
        };
        let is_same = row.content_hash == Some(record.content_hash);
        if row.object_line == line && row.object_key == self.entry.key.as_str() {
            let mark = self.scope.mark(LineTable::Transactions, row.id);
            self.findings.counts.transactions.matched += mark;
            self.compare(record, row, "");
            return Found::Row;
        }
        if is_same {
            // It is another line's row, and this payment all the same; compared once where both lines are here.
            let columns = row.differing_columns(&record.payment);
            if !columns.is_empty() && !self.is_among(lines, row) {
                self.note_row(Kind::RowDiffers, row, &columns.join(", "));
            }
            return Found::Duplicate;
        }
        match conflicts.get(&line) {
            Some(conflict) if conflict.content_hash == Some(record.content_hash) => {
                let mark = self.scope.mark(LineTable::Conflicts, conflict.id);
                self.findings.counts.conflict_rows.matched += mark;
                self.compare(record, conflict, "in conflicts: ");
                Found::Conflict
            }
            _ => Found::Unheld,
        }
    }

    /// Whether the row's own line is one of these.
    fn is_among(&self, lines: &[Line], row: &Row) -> bool {
        let mut own = lines.iter().filter(|(line, _)| *line == row.object_line);
        row.object_key == self.entry.key.as_str()
            && own.any(|(_, record)| {
                record
                    .as_ref()
                    .is_ok_and(|record| record.payment.id().as_str() == row.payment_id)
            })
    }

    /// Column by column, and not by the hash alone, which a change by hand leaves as it is.
    fn compare(&mut self, record: &LogRecord, row: &Row, table: &str) {
        let columns = row.differing_from_line(record, self.stored);
        if !columns.is_empty() {
            let detail = format!("{table}{}", columns.join(", "));
            self.note_row(Kind::RowDiffers, row, &detail);
        }
    }

    /// Counts the line, and names it where it is not as it should be.
    fn settle(
        &mut self,
        line: u32,
        record: Result<&LogRecord, &RejectedLine>,
        found: Found,
        reject: Option<u64>,
    ) {
        if let Some(row) = reject {
            let mark = self.scope.mark(LineTable::Rejects, row);
            self.findings.counts.reject_rows.matched += mark;
            self.ledger[3] += 1;
        }
        let counts = &mut self.findings.counts;
        let (count, at) = match found {
            Found::Row => (&mut counts.recorded, 0),
            Found::Duplicate => (&mut counts.duplicates, 1),
            Found::Conflict => (&mut counts.conflicts, 2),
            Found::Nowhere | Found::Unheld | Found::NoPayment => {
                return self.missing(line, record, found, reject.is_some());
            }
        };
        *count += 1;
        match reject {
            // It was rejected once, and is understood since: the reject stays as history.
            Some(_) => counts.settled_rejects += 1,
            None => self.ledger[at] += 1,
        }
    }

    /// The line is in no table, or in `rejects` alone.
    fn missing(
        &mut self,
        line: u32,
        record: Result<&LogRecord, &RejectedLine>,
        found: Found,
        is_rejected: bool,
    ) {
        let (kind, id, detail) = match (record, is_rejected) {
            (Ok(record), true) => (
                Kind::Rejected,
                Some(record.payment.id()),
                Some("a right payment; payctl replay --rejects"),
            ),
            (Ok(record), false) => {
                let kind = if found == Found::Unheld {
                    Kind::ConflictMissing
                } else {
                    Kind::RowMissing
                };
                (kind, Some(record.payment.id()), None)
            }
            (Err(rejected), false) => (Kind::RejectMissing, rejected.payment_id.as_ref(), None),
            (Err(rejected), true) if rejected.is_own => (
                Kind::Rejected,
                rejected.payment_id.as_ref(),
                Some(rejected.error.reason()),
            ),
            (Err(_), true) => {
                self.findings.counts.foreign_rejects += 1;
                return;
            }
        };
        let id = id.map(PaymentId::as_str);
        let difference = Difference::of_line(kind, id, self.entry.key.as_str(), line);
        self.findings.differences.push(match detail {
            Some(detail) => difference.with(detail),
            None => difference,
        });
    }

    fn note_row(&mut self, kind: Kind, row: &Row, detail: &str) {
        let id = Some(row.payment_id.as_str());
        let difference = Difference::of_line(kind, id, &row.object_key, row.object_line);
        self.findings.differences.push(difference.with(detail));
    }

    /// Where every line is found, the ledger must have counted the same.
    fn ledger_differs(&self) -> Option<Difference> {
        let entry = self.entry;
        let [rows, duplicates, conflicts, rejects] = self.ledger;
        let pairs = [
            ("lines", entry.lines, self.findings.counts.lines),
            ("rows", entry.rows, rows),
            ("duplicates", entry.duplicates, duplicates),
            ("conflicts", entry.conflicts, conflicts),
            ("rejects", entry.rejects, rejects),
        ];
        ledger_differs(entry, &pairs)
    }
}

fn ledger_differs(entry: &LedgerEntry, pairs: &[(&str, u32, u64)]) -> Option<Difference> {
    let differing: Vec<_> = pairs
        .iter()
        .filter(|(_, ledger, now)| u64::from(*ledger) != *now)
        .map(|(name, ledger, now)| format!("{name} {ledger}, found {now}"))
        .collect();
    (!differing.is_empty())
        .then(|| Difference::of_object(Kind::LedgerDiffers, &entry.key, Some(differing.join("; "))))
}

/// Versions that the ledger knows and whose content is no longer there. A foreign object may be corrected; one of this
/// system never changes.
pub async fn replaced(
    store: &Store,
    scope: &Scope,
    entries: &[LedgerEntry],
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
        for (table, counted) in [
            (LineTable::Conflicts, entry.conflicts),
            (LineTable::Rejects, entry.rejects),
        ] {
            let mut found = 0;
            let mut last = None;
            loop {
                let rows = store.rows_of_version(table, entry, last).await?;
                let Some((line, _)) = rows.last() else { break };
                last = Some(*line);
                for (_, row) in rows {
                    found += 1;
                    findings.counts.of(table).matched += scope.mark(table, row);
                }
            }
            let pairs = [(table.name(), counted, found)];
            findings.differences.extend(ledger_differs(entry, &pairs));
        }
    }
    Ok(())
}
