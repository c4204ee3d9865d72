//! The lines of a part, in the order in which they are to be inserted. Decided in memory, before the database is asked.

use payment_core::object::LINE_BYTES_MAX;
use payment_core::object_key::RECORDED_CHARS_MAX;
use payment_core::record::Line;
use payment_core::{LogRecord, Payment, PaymentKey};

use super::insert::STATEMENT_BYTES_MAX;
use super::rejects::Reject;

/// What the fixed columns of a row take in a statement, and to spare.
const FIXED_BYTES: usize = 256;

/// What the reader takes fits a statement, with the longest key.
const _: () = assert!(FIXED_BYTES + LINE_BYTES_MAX + 4 * RECORDED_CHARS_MAX <= STATEMENT_BYTES_MAX);

pub(super) struct Plan<'a> {
    pub lines: u32,
    /// In the order of the unique key, and for one payment by line. Transactions that insert the same keys in the same
    /// order wait for each other, where in any other order they would deadlock, and one be tried again. So it is only between
    /// parts.
    entries: Vec<Entry<'a>>,
    pub rejects: Vec<Reject>,
}

/// A line that is a payment.
#[derive(Debug)]
pub struct Entry<'a> {
    pub line: u32,
    pub record: &'a LogRecord,
    /// Its members without a column, as compact JSON.
    pub extra: String,
}

/// All lines of one client's payment id, in the order of the object. Never empty: the first is the one to become the row.
pub(super) type Group<'p> = &'p [Entry<'p>];

impl<'a> Plan<'a> {
    pub fn new(lines: &'a [Line]) -> Self {
        let mut entries = Vec::with_capacity(lines.len());
        let mut rejects = Vec::new();
        for (line, result) in lines {
            match result {
                Ok(record) => entries.push(Entry::new(*line, record)),
                Err(rejected) => rejects.push(Reject::unreadable(*line, rejected)),
            }
        }
        entries.sort_by(|a, b| (a.key(), a.line).cmp(&(b.key(), b.line)));
        Self {
            lines: super::count(lines),
            entries,
            rejects,
        }
    }

    pub fn groups(&self) -> Vec<Group<'_>> {
        self.entries.chunk_by(|a, b| a.key() == b.key()).collect()
    }
}

impl<'a> Entry<'a> {
    pub fn new(line: u32, record: &'a LogRecord) -> Self {
        let extra = record.payment.extra_json();
        Self {
            line,
            record,
            extra,
        }
    }

    pub fn payment(&self) -> &'a Payment {
        &self.record.payment
    }

    pub fn key(&self) -> &'a PaymentKey {
        self.payment().key()
    }

    /// About what the row takes in a statement, without the object's key.
    pub(super) fn bytes(&self) -> usize {
        let payment = self.payment();
        let texts = [
            payment.transaction(),
            payment.payer_name(),
            Some(&self.extra),
        ];
        FIXED_BYTES + texts.iter().flatten().map(|text| text.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests;
