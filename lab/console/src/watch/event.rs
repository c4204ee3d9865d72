//! What happened, for people.

use time::OffsetDateTime;

#[derive(Clone, Debug)]
pub struct Event {
    pub at: OffsetDateTime,
    pub mood: Mood,
    pub text: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mood {
    Good,
    Bad,
    Plain,
}

impl Mood {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Plain => "plain",
        }
    }
}
