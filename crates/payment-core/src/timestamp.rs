//! A moment in UTC, to the microsecond: the precision of the column DATETIME(6), so that a time read back
//! from the database equals the one that was written.

use std::fmt;

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, PrimitiveDateTime, UtcOffset};

type Text = [u8; 27];

/// A time in UTC, to the microsecond, of a year that RFC 3339 can write.
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

    /// Makes it of milliseconds since 1970; `None` outside the years that RFC 3339 can write.
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

    /// Appends what `Display` shows.
    pub fn push_to(self, out: &mut String) {
        out.push_str(ascii(&self.text()));
    }

    /// Writes it by hand: it is made several times a request, and `write!` takes five times as long.
    fn text(self) -> Text {
        let t = self.0;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        write_digits(t.year().unsigned_abs(), &mut text[..4]);
        write_digits(u8::from(t.month()).into(), &mut text[5..7]);
        write_digits(t.day().into(), &mut text[8..10]);
        write_digits(t.hour().into(), &mut text[11..13]);
        write_digits(t.minute().into(), &mut text[14..16]);
        write_digits(t.second().into(), &mut text[17..19]);
        write_digits(t.microsecond(), &mut text[20..26]);
        text
    }

    pub fn to_utc(self) -> OffsetDateTime {
        self.0
    }

    /// Value for a DATETIME(6) column, which has no offset.
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
        f.write_str(ascii(&self.text()))
    }
}

fn ascii(text: &Text) -> &str {
    // Digits and signs alone.
    str::from_utf8(text).unwrap_or_default()
}

/// Fills `text` with the last digits of `number`.
fn write_digits(mut number: u32, text: &mut [u8]) {
    for place in text.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
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
