//! What becomes of the lines of one payment id.

use payment_core::{ContentHash, Status};

use super::plan::{Entry, Group};
use super::rejects::Reject;
use crate::driver::DriverError;

#[derive(Debug, Default)]
pub(super) struct Tally<'p> {
    pub rows: u32,
    pub failed: u32,
    pub duplicates: u32,
    pub conflicts: Vec<&'p Entry<'p>>,
    pub rejects: Vec<Reject>,
}

/// The row that holds a payment id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    pub content_hash: ContentHash,
    /// The line that the row was made from, if it is in this object.
    pub own_line: Option<u32>,
}

impl<'p> Tally<'p> {
    /// The group's first line has become the row.
    pub fn stored(&mut self, group: Group<'p>) {
        let [first, rest @ ..] = group else { return };
        self.rows += 1;
        if first.payment().status() == Status::Failed {
            self.failed += 1;
        }
        for entry in rest {
            self.compare(entry, first.record.content_hash);
        }
    }

    /// The id was held before.
    pub fn held(&mut self, group: Group<'p>, holder: Holder) {
        for entry in group {
            let is_same = entry.record.content_hash == holder.content_hash;
            if is_same && holder.own_line == Some(entry.line) {
                self.rows += 1;
            } else {
                self.compare(entry, holder.content_hash);
            }
        }
    }

    /// The database does not take the group's first line. The next is its own payment: what remains is to be tried.
    pub fn refused(&mut self, group: Group<'p>, error: &DriverError) -> Option<Group<'p>> {
        let [first, rest @ ..] = group else {
            return None;
        };
        self.rejects.push(Reject::refused(first, error));
        (!rest.is_empty()).then_some(rest)
    }

    fn compare(&mut self, entry: &'p Entry<'p>, held: ContentHash) {
        if entry.record.content_hash == held {
            self.duplicates += 1;
        } else {
            self.conflicts.push(entry);
        }
    }
}

/// Lines are numbered by u32, so no count of them is larger.
pub(super) fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
