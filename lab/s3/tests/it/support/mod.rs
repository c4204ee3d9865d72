//! A server per test, and common requests.

pub mod faults;
pub mod raw;
pub mod receiver;
mod requests;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_s3::{Config, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

pub use requests::{Requests, app_put, get, keys, put};

pub const BUCKET: &str = "fintech-payment-pipeline";
pub const FUNCTION: &str = "arn:aws:lambda:us-west-2:000000000000:function:FinTechTransactionAlert";
pub const QUEUE: &str = "arn:aws:sqs:us-west-2:000000000000:payments";

/// The identity that a client signs as. The key pairs are those of [`config`].
#[derive(Clone, Copy, Debug)]
pub enum Role {
    Operator,
    AppTier,
    AppTierObjectLayout,
    Lambda,
}

impl Role {
    pub fn key_pair(self) -> (&'static str, &'static str) {
        match self {
            Self::Operator => ("LABOPERATOR", "operator-secret"),
            Self::AppTier => ("LABAPP", "app-secret"),
            Self::AppTierObjectLayout => ("LABAPPOBJECT", "app-object-secret"),
            Self::Lambda => ("LABLAMBDA", "lambda-secret"),
        }
    }
}

pub struct Lab {
    server: Server,
    root: TempDir,
    config: Value,
}

impl Lab {
    /// Starts a server with the pipeline's bucket and its shipped policies, without notifications.
    pub async fn start() -> Self {
        let root = TempDir::new().unwrap();
        let config = config(root.path());
        Self::start_with(root, config).await
    }

    pub async fn start_with(root: TempDir, config: Value) -> Self {
        let server = Server::start(parse(&config)).await.unwrap();
        Self {
            server,
            root,
            config,
        }
    }

    /// Stops the server and starts another on the same root.
    pub async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start_with(self.root, self.config).await
    }

    pub fn root(&self) -> &Path {
        self.root.path()
    }

    /// Number of events in the spool.
    pub fn spooled(&self) -> usize {
        std::fs::read_dir(self.root().join("spool"))
            .unwrap()
            .count()
    }

    pub async fn wait_for_empty_spool(&self) {
        eventually(async || match self.spooled() {
            0 => Ok(()),
            left => Err(format!("{left} events in the spool")),
        })
        .await;
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    pub fn address(&self) -> std::net::SocketAddr {
        self.server.addr()
    }

    pub fn client(&self, role: Role) -> Client {
        let (id, secret) = role.key_pair();
        client(&self.endpoint(), id, secret)
    }

    /// A client that sends each request once.
    pub fn once(&self, role: Role) -> Client {
        let retries = RetryConfig::disabled();
        let config = self.client(role).config().to_builder();
        Client::from_conf(config.retry_config(retries).build())
    }

    pub fn operator(&self) -> Client {
        self.client(Role::Operator)
    }

    pub async fn end(self) {
        self.server.shutdown().await;
    }
}

pub fn policy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy-notes/iam")
        .join(name)
}

pub fn config(root: &Path) -> Value {
    let identity = |role: Role, name: &str, policies: &[&str]| {
        let (id, secret) = role.key_pair();
        let policies: Vec<_> = policies.iter().map(|name| policy(name)).collect();
        json!({
            "access_key_id": id, "secret_access_key": secret, "role": name, "policies": policies,
            "admin": matches!(role, Role::Operator),
        })
    };
    json!({
        "listen": "127.0.0.1:0",
        "root": root,
        "region": "us-west-2",
        "account_id": "000000000000",
        "control_token": faults::TOKEN,
        "buckets": [{ "name": BUCKET, "policy": policy("bucket-policy.json") }],
        "identities": [
            identity(Role::Operator, "operator", &[]),
            identity(Role::AppTier, "EC2-S3-Access-Role", &["ec2-s3-access-role.json"]),
            identity(
                Role::AppTierObjectLayout,
                "EC2-S3-Access-Role-object",
                &["ec2-s3-access-role.json", "ec2-s3-access-role-object-layout.json"],
            ),
            identity(Role::Lambda, "Lambda-FinTech-Pipeline-Role", &["lambda-fintech-pipeline-role.json"]),
        ],
    })
}

pub fn parse(config: &Value) -> Config {
    serde_json::from_value(config.clone()).unwrap()
}

/// A client configured like those of the project's programs.
pub fn client(endpoint: &str, id: &str, secret: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-west-2"))
        .credentials_provider(Credentials::from_keys(id, secret, None))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenSupported)
        .http_client(http)
        .build();
    Client::from_conf(config)
}

/// Returns status and code of an error; 200 and no code for a success.
pub fn answer<T, E: ProvideErrorMetadata>(result: Result<T, SdkError<E>>) -> (u16, String) {
    match result {
        Ok(_) => (200, String::new()),
        Err(error) => {
            let status = error
                .raw_response()
                .map_or(0, |response| response.status().as_u16());
            (status, error.code().unwrap_or_default().to_owned())
        }
    }
}

/// Asserts an [`answer`].
#[track_caller]
pub fn is(answer: (u16, String), expected: (u16, &str)) {
    let (status, code) = answer;
    assert_eq!((status, code.as_str()), expected);
}

/// Polls until `look` returns a value, and reports what it last saw if that takes too long.
pub async fn eventually<T, S: std::fmt::Debug>(mut look: impl AsyncFnMut() -> Result<T, S>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match look().await {
            Ok(value) => return value,
            Err(state) => assert!(Instant::now() < deadline, "still {state:?}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
