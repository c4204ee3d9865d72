//! Timestamps that order writes.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// Microseconds since the Unix epoch.
///
/// One stamp is an object's last-modified time and, in hex, its sequencer and its version id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Stamp(u64);

impl Stamp {
    pub fn time(self) -> OffsetDateTime {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// As S3 tells it, in whole seconds.
    pub fn last_modified(self) -> Timestamp {
        let time = self.time();
        Timestamp::from(time.replace_nanosecond(0).unwrap_or(time))
    }

    pub fn after(self, time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// The text is not a stamp as [`Stamp`] displays it.
#[derive(Debug)]
pub struct NotAStamp;

impl FromStr for Stamp {
    type Err = NotAStamp;

    fn from_str(text: &str) -> Result<Self, NotAStamp> {
        let stamp = u64::from_str_radix(text, 16).map(Self);
        let stamp = stamp.ok().filter(|stamp| stamp.to_string() == text);
        stamp.ok_or(NotAStamp)
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

    #[test]
    fn stamps_are_read_back_only_as_they_are_written() {
        let stamp = Clock::default().stamp();
        assert_eq!(stamp.to_string().parse::<Stamp>().ok(), Some(stamp));
        for text in ["", "null", "1", "+00000000000000A", "00000000000000aa"] {
            assert!(text.parse::<Stamp>().is_err(), "{text}");
        }
    }
}
