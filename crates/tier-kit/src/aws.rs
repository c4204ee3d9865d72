//! What every client of AWS shares: region and credentials from the SDK's own chain, and bounds on every wait.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls;

/// Bounds of one call. Without them the SDK waits for ever for a server that accepts and is silent.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    pub connect: Duration,
    /// One try, from the first byte sent to the last received.
    pub attempt: Duration,
    /// All tries together.
    pub operation: Duration,
    pub attempts: u32,
}

/// S3 closes connections that idle for longer than some 20 s; ours go first.
const POOL_IDLE: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
#[error("no AWS region is set; set AWS_REGION, e.g. us-west-2")]
pub struct NoRegion;

/// Region and credentials from the environment, a profile, or the role of the instance or function.
pub async fn config(bounds: Bounds) -> Result<SdkConfig, NoRegion> {
    let sdk = load(bounds).await;
    if sdk.region().map(Region::as_ref).is_none_or(str::is_empty) {
        return Err(NoRegion);
    }
    Ok(sdk)
}

async fn load(bounds: Bounds) -> SdkConfig {
    let connector = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(
            tls::rustls_provider::CryptoMode::Ring,
        ))
        .pool_idle_timeout(POOL_IDLE)
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(bounds.connect)
        .read_timeout(bounds.attempt)
        .operation_attempt_timeout(bounds.attempt)
        .operation_timeout(bounds.operation)
        .build();
    aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(connector)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(bounds.attempts))
        .load()
        .await
}
