//! The parts of a lab: for each, what to run, where, with which files, and its health check.
//!
//! Parts do not know each other's internals; they share only addresses.

pub mod caller;
pub mod console;
pub mod control;
pub mod haproxy;
pub mod lambda;
pub mod mysql;
mod placement;
pub mod relay;
pub mod s3;
pub mod sqs;
pub mod tier;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Result;

pub use crate::part_name::PartName;
use crate::{
    files,
    health::Health,
    lab::Lab,
    process::{Launch, Output},
};

/// Start order: a part needs those of the earlier rows.
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

/// Stop order: new requests end first, so that all tiers drain at once.
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

/// A part as the supervisor sees it.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: PartName,
    /// Program and version, for people.
    pub about: String,
    pub address: SocketAddr,
    pub files: Vec<ConfigFile>,
    pub launch: Launch,
    pub health: Health,
    /// Time from SIGTERM until it is killed.
    pub stop_timeout: Duration,
}

impl Part {
    /// A server of the lab itself, configured by a file.
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
            stop_timeout: Duration::from_secs(10),
            about: program,
        }
    }
}

/// A file that must exist before the part starts.
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

impl Lab {
    /// How a part shows that it is well, by `GET path`.
    pub(crate) fn health(&self, part: PartName, path: &'static str) -> Result<Health> {
        if !self.speaks_tls(part) {
            return Ok(Health::Http { path });
        }
        let roots = self.roots()?;
        Ok(Health::Https { path, roots })
    }

    /// Everything that runs in this lab.
    pub fn parts(&self) -> Result<Vec<Part>> {
        let names = self.part_names().into_iter();
        names.map(|name| of(name, self)).collect()
    }
}

/// Returns this lab's part with that name.
pub fn of(name: PartName, lab: &Lab) -> Result<Part> {
    let part = match name {
        PartName::Mysql => mysql::part(lab)?,
        PartName::S3 => s3::part(lab),
        PartName::Sqs => sqs::part(lab),
        PartName::Relay => relay::part(lab),
        PartName::Control => control::part(lab)?,
        PartName::Lambda => lambda::part(lab)?,
        PartName::AppA | PartName::AppB => tier::app(name, lab)?,
        PartName::WebA | PartName::WebB => tier::web(name, lab)?,
        PartName::Ilb => haproxy::internal(lab)?,
        PartName::Alb => haproxy::external(lab)?,
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
}
