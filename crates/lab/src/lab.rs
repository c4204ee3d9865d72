//! One lab: its directory, how it was started, its secrets. From these follow its parts.

use std::net::SocketAddr;

use crate::{
    database::Database,
    part::{self, Part, PartName},
    ports::LINKED,
    state::{self, LabDir, credentials::Credentials, settings::Settings},
    workspace::Workspace,
};

pub const REGION: &str = "us-west-2";
pub const ACCOUNT_ID: &str = "000000000000";
pub const BUCKET: &str = "fintech-payment-pipeline";
/// Where S3 sends its events in a lab with a queue.
pub const QUEUE: &str = "payments-events";
/// Events that the function failed for good.
pub const DEAD_LETTER_QUEUE: &str = "payments-dead-letters";
pub const FUNCTION: &str = "FinTechTransactionAlert";

#[derive(Clone, Debug)]
pub struct Lab {
    pub workspace: Workspace,
    pub dir: LabDir,
    pub settings: Settings,
    pub credentials: Credentials,
}

impl Lab {
    /// One that `up` prepared before.
    pub fn load(dir: LabDir, workspace: Workspace) -> Result<Self, state::Error> {
        Ok(Self {
            settings: Settings::load(&dir)?,
            credentials: Credentials::load(&dir)?,
            workspace,
            dir,
        })
    }

    pub fn address(&self, part: PartName) -> SocketAddr {
        self.settings.ports.address(part)
    }

    pub fn url(&self, part: PartName) -> String {
        format!("http://{}", self.address(part))
    }

    /// Where other parts reach this one: by the relay, in a lab that has it.
    pub fn route(&self, part: PartName) -> SocketAddr {
        if self.settings.relay && LINKED.contains(&part) {
            self.settings.ports.link(part)
        } else {
            self.address(part)
        }
    }

    /// The names of the parts that this lab has.
    pub fn part_names(&self) -> Vec<PartName> {
        PartName::ALL
            .iter()
            .copied()
            .filter(|name| match name {
                PartName::Mysql => self.settings.tools.database.is_some(),
                PartName::Relay => self.settings.relay,
                _ => true,
            })
            .collect()
    }

    pub fn parts(&self) -> Result<Vec<Part>, part::Error> {
        self.part_names()
            .into_iter()
            .map(|name| part::of(name, self))
            .collect()
    }

    pub fn database(&self) -> Result<Database<'_>, part::Error> {
        Database::of(self)
    }
}
