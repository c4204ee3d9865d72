//! A lab's settings: written by `up`, read by the supervisor and every later command.

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{LabDir, vpc};
use crate::{files, install::Tools, ports::Ports, process::Identity, secret::Secret};

/// How the app tier stores payments in the bucket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLayout {
    /// Many payments per object.
    #[default]
    Batch,
    /// One payment per object.
    Object,
}

impl LogLayout {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Object => "object",
        }
    }
}

/// How S3 events reach the function.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventRoute {
    /// S3 invokes the function.
    #[default]
    Lambda,
    /// Through a queue, which Lambda polls: an event is kept for days rather than hours.
    Sqs,
}

#[expect(clippy::struct_excessive_bools, reason = "independent options of `up`")]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub ports: Ports,
    pub tools: Tools,
    pub log_layout: LogLayout,
    pub via: EventRoute,
    /// Folder of the IAM policies, if it is not the workspace's.
    #[serde(default)]
    pub iam: Option<PathBuf>,
    /// Whether there is a relay between the parts, for network faults.
    pub relay: bool,
    /// Whether there is a console.
    #[serde(default)]
    pub console: bool,
    /// The network between parts, where it is a VPC.
    pub vpc: Option<vpc::Settings>,
    /// Whether the bucket has Object Lock.
    #[serde(default)]
    pub object_lock: bool,
    /// Whether every hop from the client to the app tier speaks TLS.
    #[serde(default)]
    pub tls: bool,
    /// File of the clients that may pay; without one intake is open.
    #[serde(default)]
    pub clients: Option<PathBuf>,
    /// Key with which the lab itself pays there.
    #[serde(default)]
    pub pay_key: Option<Secret>,
    /// A server that is not the lab's own, as its administrator.
    pub database_url: Option<Secret>,
    /// The lab stops when this process ends.
    pub owner: Option<Identity>,
}

impl Settings {
    /// Whether the lab itself may pay: where callers are known, it needs a key.
    pub fn may_pay(&self) -> bool {
        self.clients.is_none() || self.pay_key.is_some()
    }

    pub fn load(dir: &LabDir) -> Result<Self> {
        files::read_json(&dir.settings())?.ok_or_else(|| dir.no_lab())
    }

    pub fn save(&self, dir: &LabDir) -> Result<()> {
        Ok(files::write_json(&dir.settings(), self)?)
    }
}
