//! What an audit counts: what it looked at, and what it did not.

use std::ops::AddAssign;

use payment_store::audit::LineTable;
use serde::Serialize;

use super::marks::Marks;

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    /// Objects of the range.
    pub objects: u64,
    pub bytes: u64,
    pub ingested: u64,
    /// Younger than the time that an event may take.
    pub on_their_way: u64,
    /// Could not be looked at.
    pub unread: u64,
    /// Versions, lines and rows that rest on what S3 does not hold, or on what nobody can read.
    pub unproven: u64,
    /// Versions of foreign objects that other content has replaced since.
    pub replaced: u64,
    /// Objects that were seen and lie outside the range.
    pub objects_outside: u64,
    /// Objects that the ledger knows and that lie outside the prefix: they are none of the journal.
    pub objects_elsewhere: u64,
    pub lines: u64,
    /// Lines that are rows.
    pub recorded: u64,
    /// Lines whose payment is recorded from another line.
    pub duplicates: u64,
    pub conflicts: u64,
    /// Lines of older systems that are no payment.
    pub foreign_rejects: u64,
    /// Lines that were rejected once and are recorded now.
    pub settled_rejects: u64,
    /// Rows that were held against their own hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_hashed: Option<u64>,
    pub transactions: TableCounts,
    pub conflict_rows: TableCounts,
    pub reject_rows: TableCounts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct TableCounts {
    /// Rows that name an object of the range.
    pub rows: u64,
    /// Rows that name an object outside the range.
    pub outside: u64,
    /// Rows that name an object outside the prefix.
    pub elsewhere: u64,
    /// Rows whose object could not be looked at.
    pub unread: u64,
    /// Rows that name an object of the range, as far as they were there at the start.
    #[serde(skip)]
    pub inside: Marks,
    /// Rows that a line of the journal accounts for, or that were named with it.
    #[serde(skip)]
    pub matched: Marks,
}

impl Counts {
    pub fn of(&mut self, table: LineTable) -> &mut TableCounts {
        match table {
            LineTable::Transactions => &mut self.transactions,
            LineTable::Conflicts => &mut self.conflict_rows,
            LineTable::Rejects => &mut self.reject_rows,
        }
    }

    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut named = vec![
            ("objects in the log", self.objects),
            ("  of them ingested", self.ingested),
            ("  of them on their way", self.on_their_way),
            ("  of them unread", self.unread),
            ("ingested, and replaced since", self.replaced),
            ("unproven", self.unproven),
            ("objects outside the range", self.objects_outside),
            ("objects outside the prefix", self.objects_elsewhere),
            ("bytes read", self.bytes),
            ("lines", self.lines),
            ("  of them rows", self.recorded),
            ("  of them duplicates", self.duplicates),
            ("  of them conflicts", self.conflicts),
            ("  of them rejects, foreign", self.foreign_rejects),
            ("  of them rejects, settled", self.settled_rejects),
        ];
        for (name, table) in [
            ("rows of transactions", &self.transactions),
            ("rows of conflicts", &self.conflict_rows),
            ("rows of rejects", &self.reject_rows),
        ] {
            named.push((name, table.rows));
            let rest = [
                ("  and outside the range", table.outside),
                ("  and outside the prefix", table.elsewhere),
                ("  and unread", table.unread),
            ];
            named.extend(rest.into_iter().filter(|(_, count)| *count > 0));
        }
        named.extend(
            self.rows_hashed
                .map(|rows| ("rows held against their hash", rows)),
        );
        named
    }
}

impl TableCounts {
    /// Whether there is no row but those that a line accounts for.
    pub fn are_all_matched(&self) -> bool {
        self.inside == self.matched && self.outside + self.elsewhere + self.unread == 0
    }
}

impl AddAssign for TableCounts {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.outside += other.outside;
        self.elsewhere += other.elsewhere;
        self.unread += other.unread;
        self.inside += other.inside;
        self.matched += other.matched;
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.ingested += other.ingested;
        self.on_their_way += other.on_their_way;
        self.unread += other.unread;
        self.unproven += other.unproven;
        self.replaced += other.replaced;
        self.objects_outside += other.objects_outside;
        self.objects_elsewhere += other.objects_elsewhere;
        self.lines += other.lines;
        self.recorded += other.recorded;
        self.duplicates += other.duplicates;
        self.conflicts += other.conflicts;
        self.foreign_rejects += other.foreign_rejects;
        self.settled_rejects += other.settled_rejects;
        self.rows_hashed = match (self.rows_hashed, other.rows_hashed) {
            (None, rows) | (rows, None) => rows,
            (Some(one), Some(two)) => Some(one + two),
        };
        self.transactions += other.transactions;
        self.conflict_rows += other.conflict_rows;
        self.reject_rows += other.reject_rows;
    }
}
