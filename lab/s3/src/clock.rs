//! Timestamps that order writes.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Microseconds since the Unix epoch.
///
/// One stamp is both an object's last-modified time and, in hex, its sequencer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(u64);

impl Stamp {
    pub fn time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for Stamp {
    /// Sixteen upper-case hex digits, so that text order is time order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// Hands out strictly increasing stamps, whatever the machine's clock does.
#[derive(Debug, Default)]
pub struct Clock(AtomicU64);

impl Clock {
    /// Returns the current time, or one microsecond after the last stamp, whichever is later.
    pub fn stamp(&self) -> Stamp {
        let now = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1000;
        let now = u64::try_from(now).unwrap_or(0);
        let next = |last: u64| now.max(last.saturating_add(1));
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            });
        Stamp(next(last.unwrap_or_else(|last| last)))
    }

    /// Makes every later stamp greater than `stamp`, so that earlier runs stay in the past.
    pub fn advance_past(&self, stamp: Stamp) {
        self.0.fetch_max(stamp.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Stamp};

    #[test]
    fn stamps_rise_even_where_the_clock_went_back() {
        let clock = Clock::default();
        let first = clock.stamp();
        let future = Stamp(first.0 + 1_000_000_000);
        clock.advance_past(future);
        let second = clock.stamp();
        assert!(second > future && clock.stamp() > second);
        assert!(second.to_string() > future.to_string());
    }
}
