//! A server for one test, and what tests ask of it.

pub mod lambda;
pub mod raw;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, RequestChecksumCalculation};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_s3::{Config, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

pub const BUCKET: &str = "fintech-payment-pipeline";
pub const FUNCTION: &str = "arn:aws:lambda:us-west-2:000000000000:function:FinTechTransactionAlert";

/// Who a client signs as. The key pairs are those of [`config`].
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
    /// The pipeline's bucket, with its shipped policies and without notifications.
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

    /// Ends the server and starts another on the same root.
    pub async fn restart(self) -> Self {
        self.server.shutdown().await;
        Self::start_with(self.root, self.config).await
    }

    pub fn root(&self) -> &Path {
        self.root.path()
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

/// A client as the project's programs have it.
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

/// Puts as the app tier does, or panics.
pub async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    let request = client.put_object().bucket(BUCKET).key(key);
    let request = request.server_side_encryption(ServerSideEncryption::Aes256);
    request
        .body(ByteStream::from(body.into()))
        .send()
        .await
        .unwrap();
}

/// Gets the whole body, or panics.
pub async fn get(client: &Client, key: &str) -> Vec<u8> {
    let output = client
        .get_object()
        .bucket(BUCKET)
        .key(key)
        .send()
        .await
        .unwrap();
    output.body.collect().await.unwrap().to_vec()
}

/// Every key of the bucket.
pub async fn keys(client: &Client) -> Vec<String> {
    let pages = client
        .list_objects_v2()
        .bucket(BUCKET)
        .into_paginator()
        .send();
    let pages = pages.try_collect().await.unwrap();
    let objects = pages
        .into_iter()
        .flat_map(|page| page.contents.unwrap_or_default());
    objects.map(|object| object.key.unwrap()).collect()
}

/// Status and code of an error; 200 and no code for a success.
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

/// Waits until `look` gives a value, and reports what it last saw if that takes too long.
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
