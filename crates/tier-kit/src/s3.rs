//! One way to make an S3 client: every wait bounded, and an endpoint of one's own (`AWS_ENDPOINT_URL_S3`)
//! addressed by path.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
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

/// A client with region and credentials from the SDK's own chain: environment, profile, the instance's role.
pub async fn client(bounds: Bounds) -> Result<Client, NoRegion> {
    let sdk = sdk_config(bounds).await;
    if sdk.region().map(Region::as_ref).is_none_or(str::is_empty) {
        return Err(NoRegion);
    }
    let by_path = sdk.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    let config = aws_sdk_s3::config::Builder::from(&sdk)
        .force_path_style(by_path)
        .build();
    Ok(Client::from_conf(config))
}

async fn sdk_config(bounds: Bounds) -> SdkConfig {
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
