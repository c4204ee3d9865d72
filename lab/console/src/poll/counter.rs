//! Counts new rows once a second.

use std::time::Duration;

use crate::source::rows::{Rows, Since};

/// Number of rows after the mark that are counted again each second. Beyond that, the mark moves up.
const BEYOND_MAX: u64 = 20_000;

/// Counts new rows, including those that are committed after a later one.
#[derive(Debug)]
pub struct Counter {
    /// Rows with a greater number are counted.
    mark: u64,
    beyond: u64,
    last: u64,
    total: u64,
}

impl Counter {
    pub fn after(all: Since) -> Self {
        Self {
            mark: all.last,
            beyond: 0,
            last: all.last,
            total: all.count,
        }
    }

    /// Returns the number of rows, and the longest lag of the new ones; `None` while the database is down. Cancel safe:
    /// nothing is counted twice.
    pub async fn look(&mut self, rows: &Rows) -> Option<(u64, Option<Duration>)> {
        let since = rows.since(self.mark).await.ok()?;
        // Over all rows after the mark it would be the longest of minutes.
        let lag = if since.last > self.last {
            rows.since(self.last).await.ok()?.lag
        } else {
            None
        };
        self.total += since.count.saturating_sub(self.beyond);
        (self.beyond, self.last) = (since.count, since.last);
        if since.count > BEYOND_MAX {
            let mark = since.last.saturating_sub(BEYOND_MAX / 4);
            self.beyond = rows.since(mark).await.ok()?.count;
            self.mark = mark;
        }
        Some((self.total, lag))
    }
}
