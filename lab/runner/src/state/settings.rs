//! How a lab was started: written by `up`, read by the supervisor and every later command.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::{Error, LabDir, vpc};
use crate::{files, install::Tools, ports::Ports, process::Identity, secret::Secret};

/// How the app tier lays payments out in the bucket.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLayout {
    /// Many payments an object.
    #[default]
    Batch,
    /// One object a payment.
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

/// How S3's events reach the function.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// S3 invokes it.
    #[default]
    Lambda,
    /// By a queue, from which Lambda polls: an event is kept for days rather than hours.
    Sqs,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    pub ports: Ports,
    pub tools: Tools,
    pub log_layout: LogLayout,
    pub via: Via,
    /// Folder of the IAM policies, where it is not the workspace's.
    #[serde(default)]
    pub iam: Option<PathBuf>,
    /// Whether there is a relay on the links between parts, for faults of the network.
    pub relay: bool,
    /// Whether there is a console, to look at the lab with a browser.
    #[serde(default)]
    pub console: bool,
    /// The network between parts, where it is a VPC.
    pub vpc: Option<vpc::Settings>,
    /// Whether every hop from the client to the app tier speaks TLS.
    #[serde(default)]
    pub tls: bool,
    /// A server that is not the lab's own, as its administrator.
    pub database_url: Option<Secret>,
    /// The lab ends with this process.
    pub owner: Option<Identity>,
}

impl Settings {
    pub fn load(dir: &LabDir) -> Result<Self, Error> {
        files::read_json(&dir.settings())?.ok_or_else(|| dir.no_lab())
    }

    pub fn save(&self, dir: &LabDir) -> Result<(), Error> {
        Ok(files::write_json(&dir.settings(), self)?)
    }
}
