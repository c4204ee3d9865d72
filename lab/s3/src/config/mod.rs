//! The configuration file.

mod check;
mod destination;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use s3s::auth::SecretKey;
use serde::Deserialize;
use server_kit::config::{self, ConfigError};
use server_kit::secret::Secret;

use crate::store::DefaultRetention;

pub(crate) use check::{Checked, check};

/// The configuration, as JSON. Unknown members are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Port 0 lets the system choose; [`Server::addr`](crate::Server::addr) returns the address.
    pub listen: SocketAddr,
    /// Directory of objects, unfinished uploads and undelivered events. Created if missing.
    pub root: PathBuf,
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// Buckets, created if missing. Buckets of earlier runs stay, without policy or notifications.
    pub buckets: Vec<BucketConfig>,
    pub identities: Vec<IdentityConfig>,
    /// Base URL of Lambda's Invoke API, `http://127.0.0.1:9001`. Required if a notification names a function.
    pub lambda_endpoint: Option<String>,
    /// Credentials for invocations. Required if a notification names a function.
    pub lambda_credentials: Option<Credentials>,
    /// Base URL of SQS, `http://127.0.0.1:9002`. Required if a notification names a queue.
    pub sqs_endpoint: Option<String>,
    /// Credentials for sending to queues. Required if a notification names a queue.
    pub sqs_credentials: Option<Credentials>,
    /// Bearer token that callers of `/_lab/faults` must send. Without it, faults cannot be injected.
    pub control_token: Option<Secret>,
    /// Latency added to every `PutObject`, in milliseconds: simulates the distance to the real S3.
    #[serde(default)]
    pub put_latency_ms: u64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketConfig {
    pub name: String,
    /// Bucket policy file.
    pub policy: Option<PathBuf>,
    /// Object Lock: the retention of each new version. Once set, the bucket keeps versions.
    pub object_lock: Option<DefaultRetention>,
    #[serde(default)]
    pub notifications: Vec<NotificationConfig>,
}

/// One rule of a bucket's notification configuration, with either a function or a queue.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotificationConfig {
    /// The `configurationId` in events.
    pub id: String,
    #[serde(default)]
    pub prefix: String,
    #[serde(default)]
    pub suffix: String,
    /// `s3:ObjectCreated:*`, `…:Put`, `…:Copy` or `…:CompleteMultipartUpload`.
    pub events: Vec<String>,
    /// `arn:aws:lambda:<region>:<account>:function:<name>`: a function to invoke asynchronously.
    pub function_arn: Option<String>,
    /// `arn:aws:sqs:<region>:<account>:<name>`: a queue, which gets `s3:TestEvent` at each start, then a message per
    /// event.
    pub queue_arn: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    pub access_key_id: String,
    pub secret_access_key: SecretKey,
    /// Name of the IAM role, for ARNs, events and logs.
    pub role: String,
    /// Policy files of the role.
    #[serde(default)]
    pub policies: Vec<PathBuf>,
    /// Whether everything is allowed, whatever the bucket policies say: the operator.
    #[serde(default)]
    pub admin: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    pub access_key_id: String,
    pub secret_access_key: SecretKey,
}

impl Config {
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        config::load(file)
    }
}
