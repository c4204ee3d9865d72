//! The VPC settings of a lab with `--vpc`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::install::NetworkTools;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// File of the network.
    pub network: PathBuf,
    pub nat: bool,
    /// Whether all of it is in a user namespace, which belongs to the supervisor.
    pub rootless: bool,
    pub tools: NetworkTools,
}
