//! Wall-clock timestamps: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

/// A wall-clock timestamp, comparable across restarts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    pub fn now() -> Self {
        Self(OffsetDateTime::now_utc())
    }

    /// Returns the UTC date.
    pub fn date(self) -> Date {
        self.0.date()
    }

    /// Returns its age; zero if the clock was set back.
    pub fn age(self) -> Duration {
        Duration::try_from(OffsetDateTime::now_utc() - self.0).unwrap_or_default()
    }

    /// Returns milliseconds since 1970, for the moment `later` after this one.
    pub fn unix_milliseconds(self, later: Duration) -> i128 {
        (self.0 + later).unix_timestamp_nanos() / 1_000_000
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        );
        f.write_str(&self.0.format(format).map_err(|_| fmt::Error)?)
    }
}

impl From<Timestamp> for String {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.to_string()
    }
}

impl TryFrom<String> for Timestamp {
    type Error = time::error::Parse;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        OffsetDateTime::parse(&text, &Rfc3339).map(Self)
    }
}
