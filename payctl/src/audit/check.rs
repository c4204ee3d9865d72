//! One object, line by line, against the rows, conflicts and rejects that its lines are to be.

mod settle;

use lambda_ingest::objects::Object;
use payment_core::chain::checker::Sighting;
use payment_core::object::{HEADER_LINE, read_header};
use payment_core::record::{self, Line};
use payment_core::{LogRecord, ObjectKey, PaymentKey, RecordError, RejectedLine};
use payment_store::Store;
use payment_store::audit::{
    LOOKUP_IDS_MAX, LedgerEntry, LineTable, Recorded, RejectRow, Row, RowsByPayment, Stored,
};

use super::counts::Counts;
use super::difference::{Difference, DifferenceKind, Findings, Named, Unreadable};
use super::ledger::Counted;
use super::origin;
use super::scope::{Belonging, Scope};
use crate::journal::Journal;
use crate::proof::chain::{Inside, Sight};
use crate::proof::hours::RowDigest;

/// Detail of a rejected line that holds what a line of this system holds.
const BROKEN: &str = "a line of this system, perhaps, that is broken";

/// What a line is, by the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    Row,
    Duplicate,
    Conflict,
    /// A payment that no table has.
    Nowhere,
    /// A payment whose id is held by other content, and which is not in `conflicts`.
    Unheld,
    NoPayment,
}

/// A line, and what `conflicts` and `rejects` have of it.
struct Looked<'a> {
    line: u32,
    record: Result<&'a LogRecord, &'a RejectedLine>,
    conflict: Option<&'a Row<'a>>,
    reject: Option<&'a RejectRow>,
}

/// An object at work: what its lines were found to be, as the ledger counts them.
struct Check<'a> {
    log: &'a Journal,
    store: &'a Store,
    scope: &'a Scope,
    entry: &'a LedgerEntry,
    /// The payment of a client that the object's key claims.
    claim: Option<PaymentKey>,
    stored: Stored,
    /// The object begins with a header, which was not looked at yet.
    has_header: bool,
    findings: Findings,
    ledger: Counted,
    /// The object's rows, if they are asked for.
    rows: Option<RowDigest>,
}

/// Holds all lines of the object against the database.
pub async fn check(
    log: &Journal,
    store: &Store,
    scope: &Scope,
    entry: &LedgerEntry,
    object: &Object,
    stored: Stored,
    sighting: Option<Sighting>,
) -> Result<Findings, Unreadable> {
    let counts = Counts {
        objects: 1,
        ingested: 1,
        bytes: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
        ..Counts::default()
    };
    let has_header = match &sighting {
        Some(sighting) => sighting.header().is_some(),
        None => read_header(&object.version.key, &object.body).is_some(),
    };
    let mut check = Check {
        log,
        store,
        scope,
        entry,
        claim: object.version.key.claimed(&scope.prefix),
        stored,
        has_header,
        findings: Findings {
            counts,
            ..Findings::default()
        },
        ledger: Counted::default(),
        rows: sighting.as_ref().map(|_| RowDigest::default()),
    };
    for part in record::read_parts(&object.version.key, &object.body, stored.at) {
        for chunk in part.chunks(LOOKUP_IDS_MAX) {
            check.lines(chunk).await?;
        }
    }
    if check.has_header {
        check.lines(&[]).await?;
    }
    if check.is_one_foreign_reject() {
        check.look_behind(object);
    }
    let mut differences = check.findings.differences.iter();
    if differences.all(|difference| difference.kind == DifferenceKind::Unproven) {
        let difference = check.ledger.differs(entry, check.findings.counts.lines);
        check.findings.differences.extend(difference);
    }
    let stored_at = object.version.stored_at;
    let inside = check.rows.take().map(|rows| Inside { stored_at, rows });
    check.findings.sight = sighting.map(|sighting| Box::new(Sight { sighting, inside }));
    Ok(check.findings)
}

impl Check<'_> {
    async fn lines(&mut self, lines: &[Line]) -> Result<(), Unreadable> {
        let begins = std::mem::take(&mut self.has_header);
        let number = |line: Option<&Line>| line.map_or(HEADER_LINE, |(number, _)| *number);
        let first = if begins {
            HEADER_LINE
        } else {
            number(lines.first())
        };
        let span = (first, number(lines.last()));
        let payments: Vec<&PaymentKey> = lines
            .iter()
            .filter_map(|(_, record)| Some(record.as_ref().ok()?.payment.key()))
            .collect();
        let Recorded {
            rows,
            conflicts,
            rejects,
        } = self.store.recorded(&payments, self.entry, span).await?;
        let (rows, conflicts) = (rows.by_payment(), conflicts.by_line());
        if let Some(reject) = rejects.get(&HEADER_LINE).filter(|_| begins) {
            self.rejected_header(reject);
        }
        for (line, record) in lines {
            self.line(
                &Looked {
                    line: *line,
                    record: record.as_ref(),
                    conflict: conflicts.get(line),
                    reject: rejects.get(line),
                },
                lines,
                &rows,
            );
        }
        let is_outside =
            |row: &&Row<'_>| self.scope.belonging(row.object_key) == Belonging::OutsideRange;
        let outside = rows.iter().filter(is_outside);
        let differences = origin::hold(self.log, self.store, outside).await?;
        self.findings.differences.extend(differences);
        Ok(())
    }

    /// A header is none of the object's lines, unless a function that did not know it rejected it as one.
    fn rejected_header(&mut self, reject: &RejectRow) {
        self.findings.counts.lines += 1;
        self.findings.counts.settled_rejects += 1;
        let unknown = RejectedLine {
            error: RecordError::UnsupportedVersion,
            is_own: true,
            resembles_own: false,
            payment: None,
        };
        let looked = Looked {
            line: HEADER_LINE,
            record: Err(&unknown),
            conflict: None,
            reject: Some(reject),
        };
        self.reject(&looked, reject);
    }

    fn line(&mut self, looked: &Looked<'_>, lines: &[Line], rows: &RowsByPayment<'_>) {
        self.findings.counts.lines += 1;
        let found = match looked.record {
            Ok(record) => self.payment(looked, record, lines, rows),
            Err(_) => Found::NoPayment,
        };
        if found != Found::Conflict
            && let Some(conflict) = looked.conflict
        {
            // It is named here, and is not to be searched for.
            let mark = self.scope.mark(LineTable::Conflicts, conflict.id);
            self.findings.counts.conflict_rows.matched += mark;
            self.note_row(DifferenceKind::RowWithoutRecord, conflict, "in conflicts");
        }
        if let Some(reject) = looked.reject {
            self.reject(looked, reject);
        }
        self.settle(looked, found);
    }

    /// A line that is a payment: its row, or what stands for one.
    fn payment(
        &mut self,
        looked: &Looked<'_>,
        record: &LogRecord,
        lines: &[Line],
        rows: &RowsByPayment<'_>,
    ) -> Found {
        if record.is_own() {
            self.ledger.received_by = self.ledger.received_by.max(Some(record.received_at));
        }
        self.hold_claim(looked.line, record.payment.key());
        let Some(row) = rows.get(record.payment.key()) else {
            return Found::Nowhere;
        };
        let is_same = row.content_hash == Some(record.content_hash);
        if row.object_line == looked.line && row.object_key == self.entry.key.as_str() {
            let mark = self.scope.mark(LineTable::Transactions, row.id);
            self.findings.counts.transactions.matched += mark;
            if let Some(rows) = &mut self.rows {
                rows.add(row);
            }
            let is_corrected = origin::is_of_another_version(row, record, self.stored);
            if !is_corrected || !self.is_conflict(looked, record) {
                self.compare(looked, record, row, "");
                return Found::Row;
            }
            self.note_row(DifferenceKind::Unproven, row, origin::CORRECTED);
            return Found::Conflict;
        }
        if is_same {
            // It is another line's row, and this payment all the same; compared once where both lines are here.
            // Its members may stand in another order.
            let columns = row.differing_columns(&record.payment);
            if !columns.is_empty() && !row.matches_own_hash() && !self.is_among(lines, row) {
                self.note_row(DifferenceKind::RowDiffers, row, &columns.join(", "));
            }
            return Found::Duplicate;
        }
        if self.is_conflict(looked, record) {
            Found::Conflict
        } else {
            Found::Unheld
        }
    }

    /// Whether `conflicts` has the line, which is compared with what it has.
    fn is_conflict(&mut self, looked: &Looked<'_>, record: &LogRecord) -> bool {
        let hash = Some(record.content_hash);
        let Some(conflict) = looked.conflict.filter(|row| row.content_hash == hash) else {
            return false;
        };
        let mark = self.scope.mark(LineTable::Conflicts, conflict.id);
        self.findings.counts.conflict_rows.matched += mark;
        self.compare(looked, record, conflict, "in conflicts: ");
        true
    }

    /// Older systems name objects by ids as well, so that a key without a client claims nothing.
    fn hold_claim(&mut self, line: u32, payment: &PaymentKey) {
        let claim = self.claim.as_ref();
        if let Some(claim) = claim.filter(|claim| !claim.client.is_empty() && *claim != payment) {
            let key = self.entry.key.as_str();
            let difference =
                Difference::of_line(DifferenceKind::KeyDiffers, Some(payment.into()), key, line);
            let detail = format!("the key claims {claim}");
            self.findings.differences.push(difference.with(detail));
        }
    }

    /// Whether the row's own line is one of these.
    fn is_among(&self, lines: &[Line], row: &Row<'_>) -> bool {
        let mut own = lines.iter().filter(|(line, _)| *line == row.object_line);
        row.object_key == self.entry.key.as_str()
            && own.any(|(_, record)| {
                let record = record.as_ref();
                record.is_ok_and(|record| row.is_of(record.payment.key()))
            })
    }

    /// Column by column, and not by the hash alone, which a change by hand leaves as it is.
    fn compare(&mut self, looked: &Looked<'_>, record: &LogRecord, row: &Row<'_>, table: &str) {
        let fault = origin::by_columns(row, record, self.stored_of(looked));
        if let Some((kind, why)) = fault {
            self.note_row(kind, row, &format!("{table}{why}"));
        }
    }

    fn reject(&mut self, looked: &Looked<'_>, reject: &RejectRow) {
        let mark = self.scope.mark(LineTable::Rejects, reject.id);
        self.findings.counts.reject_rows.matched += mark;
        self.ledger.rejects += 1;
        let key = &self.entry.key;
        let by_columns = |stored| reject.differing_from_line(looked.record, key.is_own(), stored);
        let fault = origin::fault(DifferenceKind::RejectDiffers, self.stored, by_columns);
        if let Some((kind, why)) = fault {
            let payment = Named::by_reject(reject);
            let difference = Difference::of_line(kind, payment, key.as_str(), looked.line);
            self.findings.differences.push(difference.with(why));
        }
    }

    /// Whether all of the object is one line that is no payment: a document may be that, whatever its lines are.
    fn is_one_foreign_reject(&self) -> bool {
        let counts = &self.findings.counts;
        counts.lines == 1 && counts.foreign_rejects == 1
    }

    /// Names an object that holds lines of this system, and was not read by lines.
    fn look_behind(&mut self, object: &Object) {
        let is_own = |(_, record): Line| match record {
            Ok(record) => record.is_own(),
            Err(rejected) => rejected.is_own,
        };
        let by_lines = ObjectKey::parse("a.ndjson");
        let mut lines = by_lines
            .iter()
            .flat_map(|key| record::read_object(key, &object.body, self.stored.at));
        if lines.any(is_own) {
            let unproven = |known: &Difference| known.detail.as_deref() == Some(BROKEN);
            self.findings.differences.retain(|known| !unproven(known));
            let detail = "it holds lines of this system, and was rejected as one document";
            let difference = Difference::of_object(
                DifferenceKind::Rejected,
                &self.entry.key,
                Some(detail.to_owned()),
            );
            self.findings.differences.push(difference);
        }
    }

    /// A line that was rejected may have become a row long after its object was ingested.
    fn stored_of(&self, looked: &Looked<'_>) -> Stored {
        Stored {
            ingested_at: self.stored.ingested_at.filter(|_| looked.reject.is_none()),
            ..self.stored
        }
    }

    fn note_row(&mut self, kind: DifferenceKind, row: &Row<'_>, detail: &str) {
        let payment = Some(row.into());
        let difference = Difference::of_line(kind, payment, row.object_key, row.object_line);
        self.findings.differences.push(difference.with(detail));
    }
}
