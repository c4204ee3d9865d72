//! How the VPC of a lab with `--vpc` was asked for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::install::NetworkTools;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The network that it has.
    pub network: PathBuf,
    pub nat: bool,
    /// All of it is in a user namespace, which is the supervisor's.
    pub rootless: bool,
    pub tools: NetworkTools,
}
