//! One way to make an S3 client: every wait bounded, and an endpoint of one's own (`AWS_ENDPOINT_URL_S3`)
//! addressed by path.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;

use crate::aws;
pub use crate::aws::{Bounds, NoRegion};

/// A client with region and credentials from the SDK's own chain: environment, profile, the instance's role.
/// While it reads certificates, the caller's thread is free.
pub async fn client(bounds: Bounds) -> Result<Client, NoRegion> {
    let sdk = aws::config(bounds).await?;
    let own = std::env::var("AWS_ENDPOINT_URL_S3").ok();
    let endpoint = own.as_deref().or(sdk.endpoint_url());
    let config = Builder::from(&sdk).force_path_style(endpoint.is_some());
    if endpoint.is_some_and(aws::is_plain) {
        return Ok(Client::from_conf(config.build()));
    }
    let config = config.http_client(aws::https()).build();
    let made = tokio::task::spawn_blocking({
        let config = config.clone();
        move || Client::from_conf(config)
    });
    Ok(made.await.unwrap_or_else(|_| Client::from_conf(config)))
}
