//! Recent events, for people.

use time::OffsetDateTime;

#[derive(Clone, Debug)]
pub struct Event {
    pub at: OffsetDateTime,
    pub severity: Severity,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    Good,
    Bad,
    Plain,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}
