//! Faults, switched on and off in a lab that runs.
//!
//! S3, Lambda and the relay have switches of their own, which are asked over HTTP ([`Switches`]); what they can
//! do is theirs to say. The database is a stranger's program: its faults are done to it from outside
//! ([`database`]).

pub mod database;
mod switches;

use clap::ValueEnum;

pub use self::switches::{Fault, Switches};
use crate::{lab::Lab, part::PartName};

/// A part to which faults can be done.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum Target {
    S3,
    Lambda,
    /// The network between the parts, in a lab started with `--relay`.
    Relay,
    Mysql,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{part} has no fault of the kind {kind}; it has {known}")]
    Unknown {
        part: PartName,
        kind: String,
        known: String,
    },
    #[error("this lab has no relay: start it with `up --relay`")]
    NoRelay,
    #[error("this lab has no database server of its own to do that to")]
    NoServer,
    #[error("{part} can't be asked about its faults: see `cargo lab status`")]
    Unreachable {
        part: PartName,
        #[source]
        source: reqwest::Error,
    },
    #[error("{part} answers {status} to a change of its faults: {message}")]
    Refused {
        part: PartName,
        status: reqwest::StatusCode,
        message: String,
    },
    #[error(transparent)]
    Part(#[from] crate::part::Error),
    #[error(transparent)]
    State(#[from] crate::state::Error),
    #[error(transparent)]
    Files(#[from] crate::files::Error),
    #[error(transparent)]
    Database(#[from] crate::database::Error),
}

impl Target {
    pub const ALL: [Self; 4] = [Self::S3, Self::Lambda, Self::Relay, Self::Mysql];

    pub fn part(self) -> PartName {
        match self {
            Self::S3 => PartName::S3,
            Self::Lambda => PartName::Lambda,
            Self::Relay => PartName::Relay,
            Self::Mysql => PartName::Mysql,
        }
    }

    /// The part's own switches; nothing for the database.
    pub fn switches(self, lab: &Lab) -> Result<Option<Switches>, Error> {
        let part = self.part();
        match self {
            Self::Mysql if lab.settings.tools.database.is_none() => Err(Error::NoServer),
            Self::Mysql => Ok(None),
            Self::Relay if !lab.settings.relay => Err(Error::NoRelay),
            Self::S3 | Self::Lambda | Self::Relay => Ok(Some(Switches::of(part, lab)?)),
        }
    }
}
