//! The parts of a lab: for each what to run, where, with which files, and how it shows its health.
//!
//! No part knows another's internals; all that they share is an address.

pub mod caller;
pub mod console;
pub mod control;
pub mod haproxy;
pub mod lambda;
pub mod mysql;
pub mod relay;
pub mod s3;
pub mod sqs;
pub mod tier;

use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::{
    database, files,
    health::Health,
    lab::Lab,
    process::{Launch, Output},
    state, vpc,
};

#[derive(
    Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, ValueEnum, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    Mysql,
    S3,
    Sqs,
    Relay,
    Control,
    Lambda,
    AppA,
    AppB,
    Ilb,
    WebA,
    WebB,
    Alb,
    Console,
}

/// The order of the start: a part needs those of the rows before it.
pub const START: [&[PartName]; 6] = [
    &[
        PartName::Mysql,
        PartName::S3,
        PartName::Sqs,
        PartName::Relay,
        PartName::Control,
    ],
    &[PartName::Lambda],
    &[PartName::AppA, PartName::AppB],
    &[PartName::Ilb],
    &[PartName::WebA, PartName::WebB],
    &[PartName::Alb, PartName::Console],
];

/// The order of the stop: no new requests first, so that the tiers drain all at once.
pub const STOP: [&[PartName]; 4] = [
    &[PartName::Alb, PartName::Ilb, PartName::Console],
    &[
        PartName::WebA,
        PartName::WebB,
        PartName::AppA,
        PartName::AppB,
    ],
    &[PartName::Lambda],
    &[
        PartName::S3,
        PartName::Sqs,
        PartName::Mysql,
        PartName::Relay,
        PartName::Control,
    ],
];

impl PartName {
    pub const ALL: &[Self] = &[
        Self::Mysql,
        Self::S3,
        Self::Sqs,
        Self::Relay,
        Self::Control,
        Self::Lambda,
        Self::AppA,
        Self::AppB,
        Self::Ilb,
        Self::WebA,
        Self::WebB,
        Self::Alb,
        Self::Console,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::S3 => "s3",
            Self::Sqs => "sqs",
            Self::Relay => "relay",
            Self::Control => "control",
            Self::Lambda => "lambda",
            Self::AppA => "app-a",
            Self::AppB => "app-b",
            Self::Ilb => "ilb",
            Self::WebA => "web-a",
            Self::WebB => "web-b",
            Self::Alb => "alb",
            Self::Console => "console",
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

/// A part as the supervisor sees it.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: PartName,
    /// What runs there, for people.
    pub about: String,
    pub address: SocketAddr,
    pub files: Vec<ConfigFile>,
    pub launch: Launch,
    pub health: Health,
    /// From SIGTERM until it is killed.
    pub patience: Duration,
}

impl Part {
    /// A server of the lab's own, which reads its configuration from a file.
    pub fn lab_server(name: PartName, address: SocketAddr, config: ConfigFile, lab: &Lab) -> Self {
        let program = format!("lab-{name}");
        Self {
            name,
            address,
            launch: Launch {
                program: lab.workspace.program(&program),
                args: vec!["--config".into(), config.path.clone().into()],
                env: BTreeMap::from([("RUST_LOG", "info".to_owned())]),
                output: Output::File,
            },
            files: vec![config],
            health: Health::Http {
                path: "/_lab/health",
            },
            patience: Duration::from_secs(10),
            about: program,
        }
    }
}

/// A file that must be there before the part starts.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    pub path: PathBuf,
    pub content: String,
}

impl ConfigFile {
    pub fn write(&self) -> Result<(), files::Error> {
        files::write(&self.path, &self.content)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    State(#[from] state::Error),
    #[error(transparent)]
    Database(#[from] database::Error),
    #[error(transparent)]
    Vpc(#[from] vpc::Error),
    #[error("the lab has no database server of its own")]
    NoServer,
}

/// The part of that name, in this lab.
pub fn of(name: PartName, lab: &Lab) -> Result<Part, Error> {
    let part = match name {
        PartName::Mysql => mysql::part(lab)?,
        PartName::S3 => s3::part(lab),
        PartName::Sqs => sqs::part(lab),
        PartName::Relay => relay::part(lab),
        PartName::Control => control::part(lab)?,
        PartName::Lambda => lambda::part(lab)?,
        PartName::AppA | PartName::AppB => tier::app(name, lab)?,
        PartName::WebA | PartName::WebB => tier::web(name, lab),
        PartName::Ilb => haproxy::internal(lab),
        PartName::Alb => haproxy::external(lab),
        PartName::Console => console::part(lab),
    };
    Ok(match &lab.vpc {
        Some(vpc) => vpc.place(part, lab),
        None => part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_starts_once_and_stops_once() {
        for order in [START.concat(), STOP.concat()] {
            let mut order = order;
            order.sort();
            assert_eq!(order, PartName::ALL);
        }
    }

    #[test]
    fn a_name_is_the_same_in_json_and_on_the_command_line() {
        for &name in PartName::ALL {
            let json = serde_json::to_value(name).unwrap();
            assert_eq!(json, name.as_str());
            assert_eq!(PartName::from_str(name.as_str(), false), Ok(name));
        }
    }
}
