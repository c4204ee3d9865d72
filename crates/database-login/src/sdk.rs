//! Region and credentials with which AWS is asked for a login.

use std::time::Duration;

use aws_clients::aws::{self, Bounds, NoRegion};
use aws_types::SdkConfig;
use tokio::sync::OnceCell;

/// Bounds of one call. Without a way to the service (in a VPC: an interface endpoint) it fails and says so.
const CALL: Bounds = Bounds {
    connect: Duration::from_secs(1),
    attempt: Duration::from_secs(2),
    operation: Duration::from_secs(5),
    attempts: 3,
};

/// The SDK's own chain, looked for when the first connection is made, or the caller's configuration.
#[derive(Debug, Default)]
pub struct Sdk(OnceCell<SdkConfig>);

impl Sdk {
    /// Returns the configuration; the chain is looked through once.
    pub async fn config(&self) -> Result<&SdkConfig, NoRegion> {
        self.0.get_or_try_init(|| aws::config(CALL)).await
    }
}

impl From<SdkConfig> for Sdk {
    fn from(config: SdkConfig) -> Self {
        Self(OnceCell::from(config))
    }
}
