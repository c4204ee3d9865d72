//! A moment in UTC, to the microsecond: the precision of the column DATETIME(6), so that a time read back
//! from the database equals the one that was written.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    pub const EPOCH: Self = Self(OffsetDateTime::UNIX_EPOCH);

    /// Converts to UTC and cuts to the microsecond.
    pub fn new(moment: OffsetDateTime) -> Self {
        let utc = moment.to_offset(UtcOffset::UTC);
        let below = i64::from(utc.nanosecond() % 1000);
        Self(utc - Duration::nanoseconds(below))
    }

    /// From milliseconds since 1970; `None` outside the years that RFC 3339 can write.
    pub fn from_unix_millis(millis: i64) -> Option<Self> {
        let moment =
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()?;
        (0..=9999)
            .contains(&moment.year())
            .then(|| Self::new(moment))
    }

    /// RFC 3339 with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        let moment = OffsetDateTime::parse(text, &Rfc3339)
            .ok()?
            .to_offset(UtcOffset::UTC);
        (0..=9999)
            .contains(&moment.year())
            .then(|| Self::new(moment))
    }

    pub fn to_utc(self) -> OffsetDateTime {
        self.0
    }

    /// For a DATETIME(6) column, which has no offset.
    pub fn to_datetime(self) -> PrimitiveDateTime {
        PrimitiveDateTime::new(self.0.date(), self.0.time())
    }

    pub fn from_datetime(datetime: PrimitiveDateTime) -> Self {
        Self::new(datetime.assume_utc())
    }
}

/// `2026-11-22T07:30:00.123456Z`: always six decimals, so that texts sort as the times do.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let t = self.0;
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second(),
            t.microsecond()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_and_nanoseconds_are_cut() {
        for (given, kept) in [
            ("2026-11-22T07:30:00.123456Z", "2026-11-22T07:30:00.123456Z"),
            ("2026-11-22T07:30:00Z", "2026-11-22T07:30:00.000000Z"),
            (
                "2026-11-22T08:30:00.123456789+01:00",
                "2026-11-22T07:30:00.123456Z",
            ),
        ] {
            let parsed = Timestamp::parse(given).unwrap();
            assert_eq!(parsed.to_string(), kept);
            assert_eq!(Timestamp::from_datetime(parsed.to_datetime()), parsed);
        }
        assert_eq!(Timestamp::parse("yesterday"), None);
        assert_eq!(Timestamp::parse("0000-01-01T00:30:00+01:00"), None);
    }
}
