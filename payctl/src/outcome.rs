//! How a command ends, decided here for all of them.
//!
//! Clean is said only of something that was looked at, whole: a part that could not be looked at, one that is still
//! waiting, and nothing at all are each [`Outcome::Unfinished`].

use std::error::Error;

use serde::Serialize;

/// How a command that could run ended. The worst of its parts counts, and what is not known is worse than a
/// difference: behind it there may be more of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All of what was asked for was looked at, and is as it should be.
    Clean,
    /// Something differs, is missing, or was refused.
    Different,
    /// Something is not done or not known.
    Unfinished,
}

/// Why a command could not run, or broke off, with what it says on stderr.
#[derive(Debug)]
pub enum Failure {
    Config(Box<dyn Error + Send + Sync>),
    Work(Box<dyn Error + Send + Sync>),
}

/// Wrong usage or configuration: `EX_USAGE` of sysexits.h.
pub const USAGE: u8 = 64;

impl Outcome {
    /// The outcome of two parts together: the worse one.
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }

    pub fn different_if(is_different: bool) -> Self {
        if is_different {
            Self::Different
        } else {
            Self::Clean
        }
    }

    pub fn unfinished_if(is_unfinished: bool) -> Self {
        if is_unfinished {
            Self::Unfinished
        } else {
            Self::Clean
        }
    }

    pub fn exit_status(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Different => 1,
            Self::Unfinished => 2,
        }
    }
}

impl Failure {
    pub fn config(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Config(error.into())
    }

    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Config(_) => USAGE,
            Self::Work(_) => self.outcome().exit_status(),
        }
    }

    /// What it makes of the whole if it is one of several parts: wrong usage was refused, and the rest is not done.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Config(_) => Outcome::Different,
            Self::Work(_) => Outcome::Unfinished,
        }
    }

    pub fn error(&self) -> &(dyn Error + 'static) {
        match self {
            Self::Config(error) | Self::Work(error) => &**error,
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Work(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_outweighs_a_difference_and_that_a_clean_part() {
        let all = [Outcome::Clean, Outcome::Different, Outcome::Unfinished];
        for (rank, one) in all.into_iter().enumerate() {
            assert_eq!(usize::from(one.exit_status()), rank);
            for other in &all[..rank] {
                assert_eq!((one.and(*other), other.and(one)), (one, one));
            }
        }
    }
}
