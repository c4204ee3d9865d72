//! The SQS client, with every wait bounded.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Config, Region};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};

use crate::config::QueueConfig;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of one attempt, in addition to the duration of a long poll.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);
const ATTEMPTS: u32 = 2;
/// Shorter than the time for which the lab's servers keep an idle connection open.
const POOL_IDLE: Duration = Duration::from_secs(15);

/// Creates a client for a queue; `wait` is the duration of its long polls.
pub fn client(queue: &QueueConfig, region: &str, wait: Duration) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .pool_idle_timeout(POOL_IDLE)
        .build_https();
    let attempt = wait + ATTEMPT_TIMEOUT;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(attempt * ATTEMPTS)
        .build();
    let secret = queue.secret_access_key.expose();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(Credentials::from_keys(&queue.access_key_id, secret, None))
        .endpoint_url(&queue.endpoint)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .http_client(http)
        .build();
    Client::from_conf(config)
}
