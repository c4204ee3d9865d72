//! Faults, switched on and off in a running lab.
//!
//! S3, Lambda and the relay have switches of their own, controlled over HTTP ([`Switches`]); each part defines its own
//! kinds. The database is third-party software, so its faults are injected from outside ([`database`]), like the cut of
//! a zone ([`zone`]). The supervisor ends those of them that have a time limit ([`term`], [`expiry`]).

pub mod all;
pub mod database;
pub mod expiry;
mod switches;
pub mod term;
mod zone;

use anyhow::Result;
use clap::ValueEnum;

pub use self::switches::{Fault, Switches};
use crate::{
    lab::{Absent, Lab},
    part::PartName,
};

/// A part that faults can be injected into.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, ValueEnum)]
pub enum FaultTarget {
    S3,
    Lambda,
    /// The network between the parts, in a lab started with `--relay`.
    Relay,
    Mysql,
    /// A zone of the VPC, in a lab started with `--vpc`.
    Zone,
}

impl FaultTarget {
    pub const ALL: [Self; 5] = [Self::S3, Self::Lambda, Self::Relay, Self::Mysql, Self::Zone];

    pub fn name(self) -> &'static str {
        match self {
            Self::S3 => PartName::S3.as_str(),
            Self::Lambda => PartName::Lambda.as_str(),
            Self::Relay => PartName::Relay.as_str(),
            Self::Mysql => PartName::Mysql.as_str(),
            Self::Zone => "zone",
        }
    }

    /// Returns the part's own switches; `None` for faults injected from outside.
    pub fn switches(self, lab: &Lab) -> Result<Option<Switches>> {
        let of = |part| Ok(Some(Switches::of(part, lab)?));
        match self {
            Self::Zone => {
                lab.required_vpc()?;
                Ok(None)
            }
            Self::Mysql if lab.settings.tools.database.is_none() => Err(Absent::Server.into()),
            Self::Mysql => Ok(None),
            Self::Relay if !lab.settings.relay => Err(Absent::Relay.into()),
            Self::S3 => of(PartName::S3),
            Self::Lambda => of(PartName::Lambda),
            Self::Relay => of(PartName::Relay),
        }
    }
}
