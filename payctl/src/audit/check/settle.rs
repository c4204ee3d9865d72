//! What a line counts as, and how it is named if it is in no table that it should be in.

use payment_core::RecordError;
use payment_store::audit::RejectRow;

use super::super::difference::{Difference, DifferenceKind, Named};
use super::{BROKEN, Check, Found, Looked};

impl Check<'_> {
    /// Counts the line, and names it if it is not as it should be.
    pub(super) fn settle(&mut self, looked: &Looked<'_>, found: Found) {
        let counts = &mut self.findings.counts;
        let ledger = &mut self.ledger;
        let (count, at) = match found {
            Found::Row => (&mut counts.recorded, &mut ledger.rows),
            Found::Duplicate => (&mut counts.duplicates, &mut ledger.duplicates),
            Found::Conflict => (&mut counts.conflicts, &mut ledger.conflicts),
            Found::Nowhere | Found::Unheld | Found::NoPayment => {
                return self.missing(looked, found);
            }
        };
        *count += 1;
        match looked.reject {
            // It was rejected once, and is understood since: the reject stays as history.
            Some(_) => counts.settled_rejects += 1,
            None => *at += 1,
        }
    }

    /// The line is in no table, or in `rejects` alone.
    fn missing(&mut self, looked: &Looked<'_>, found: Found) {
        let is_refused = looked.reject.is_some_and(RejectRow::is_refused_by_database);
        let (kind, payment, detail) = match (looked.record, looked.reject.is_some()) {
            (Ok(record), true) if is_refused && !record.is_own() => {
                self.findings.counts.foreign_rejects += 1;
                (
                    DifferenceKind::Unproven,
                    Some(record.payment.key()),
                    Some(
                        "a right payment that the database is said to have refused; payctl replay --rejects tries it again",
                    ),
                )
            }
            (Ok(record), true) => (
                DifferenceKind::Rejected,
                Some(record.payment.key()),
                Some("a right payment; payctl replay --rejects"),
            ),
            (Ok(record), false) => {
                let kind = if found == Found::Unheld {
                    DifferenceKind::ConflictMissing
                } else {
                    DifferenceKind::RowMissing
                };
                (kind, Some(record.payment.key()), None)
            }
            (Err(rejected), false) => (
                DifferenceKind::RejectMissing,
                rejected.payment.as_ref(),
                None,
            ),
            (Err(rejected), true) if rejected.is_own => (
                DifferenceKind::Rejected,
                rejected.payment.as_ref(),
                Some(rejected.error.reason()),
            ),
            (Err(rejected), true) => {
                self.findings.counts.foreign_rejects += 1;
                let why = match rejected.error {
                    RecordError::Unreadable(why) => why.reason(),
                    _ if rejected.resembles_own => BROKEN,
                    _ => return,
                };
                (
                    DifferenceKind::Unproven,
                    rejected.payment.as_ref(),
                    Some(why),
                )
            }
        };
        let payment = payment.map(Named::from);
        let key = self.entry.key.as_str();
        let difference = Difference::of_line(kind, payment, key, looked.line);
        self.findings.differences.push(match detail {
            Some(detail) => difference.with(detail),
            None => difference,
        });
    }
}
