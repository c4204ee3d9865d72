//! One way to make an S3 client: every wait bounded, and an endpoint of one's own (`AWS_ENDPOINT_URL_S3`)
//! addressed by path.

use aws_sdk_s3::Client;

pub use crate::aws::{Bounds, NoRegion};

/// A client with region and credentials from the SDK's own chain: environment, profile, the instance's role.
pub async fn client(bounds: Bounds) -> Result<Client, NoRegion> {
    let sdk = crate::aws::config(bounds).await?;
    let by_path = sdk.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some();
    let config = aws_sdk_s3::config::Builder::from(&sdk)
        .force_path_style(by_path)
        .build();
    Ok(Client::from_conf(config))
}
