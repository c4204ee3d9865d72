//! A file of clients, and requests with credentials.

use std::fmt::Display;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clients::bearer::KeyHash;
use clients::digest;
use clients::signature::{Message, SigningKey};
use http::{HeaderMap, Method, Uri};
use payment_core::Timestamp;
use tempfile::TempDir;
use time::OffsetDateTime;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::tier::{Act, Tier, answer};

pub const JSON: (&str, &str) = ("content-type", "application/json");
pub const BODY: &str = r#"{"id":"tx_1","amount":"1"}"#;
pub const SEED: [u8; 32] = [7; 32];

/// A file of clients that a test writes.
pub struct ClientsFile {
    pub path: PathBuf,
    _folder: TempDir,
}

impl ClientsFile {
    pub fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Self {
            path: folder.path().join("clients.toml"),
            _folder: folder,
        };
        file.write(text);
        file
    }

    /// As an editor does that cares: another file in its place.
    pub fn write(&self, text: &str) {
        let beside = self.path.with_extension("new");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, &self.path).unwrap();
    }

    pub async fn tier(&self, acts: Vec<Act>) -> Tier {
        let path = self.path.to_str().unwrap();
        Tier::with(acts, &[("CLIENTS_FILE", path)]).await
    }
}

/// A client with one key, which begins today.
pub fn client(name: &str, limits: &str, key: &str) -> String {
    let hash = KeyHash::of(key);
    format!(
        "[clients.{name}]\n{limits}\n[[clients.{name}.keys]]\nid = \"{name}-1\"\nsha256 = \"{hash}\"\n\
         created = 2026-01-01T00:00:00Z\n"
    )
}

pub fn signer(name: &str) -> String {
    let key = SigningKey::new("ed25519", &SEED).unwrap();
    let public = key.public_key().unwrap();
    format!(
        "[[clients.{name}.keys]]\nid = \"{name}-signs\"\ned25519 = \"{public}\"\ncreated = 2026-01-01T00:00:00Z\n"
    )
}

pub fn accepted() -> Act {
    let body = r#"{"id":"tx_1","status":"accepted","received_at":"2026-11-22T07:30:00.123456Z","request_id":"r"}"#;
    answer("202 Accepted", "content-type: application/json\r\n", body)
}

pub fn bearer(key: &str) -> String {
    format!("Bearer {key}")
}

pub async fn status(tier: &Tier, headers: &[(&str, &str)]) -> u16 {
    let headers = [headers, &[JSON]].concat();
    tier.post(&headers, BODY).await.status().as_u16()
}

pub async fn get(tier: &Tier, headers: &[(&str, &str)]) -> reqwest::Response {
    let request = reqwest::Client::new().get(format!("{}/pay/tx_1", tier.url));
    let add = |request: reqwest::RequestBuilder, (name, value): &(&str, &str)| {
        request.header(*name, *value)
    };
    headers.iter().fold(request, add).send().await.unwrap()
}

/// Headers of a payment that is signed now.
pub fn signed(body: &str) -> Vec<(String, String)> {
    signed_at(body, OffsetDateTime::now_utc())
}

pub fn signed_at(body: &str, created: OffsetDateTime) -> Vec<(String, String)> {
    let mut headers = HeaderMap::new();
    headers.insert(
        "content-digest",
        digest::header_of(body.as_bytes()).try_into().unwrap(),
    );
    headers.insert("idempotency-key", "tx_1".try_into().unwrap());
    let message = Message {
        method: &Method::POST,
        uri: &Uri::from_static("/pay"),
        headers: &headers,
    };
    let key = SigningKey::new("ed25519", &SEED).unwrap();
    let created = Timestamp::new(created);
    let (input, signature) = key.sign(&message, "shop-signs", created).unwrap();
    headers.insert("signature-input", input.try_into().unwrap());
    headers.insert("signature", signature.try_into().unwrap());
    let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect()
}

pub fn borrowed(headers: &[(String, String)]) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect()
}

/// A request whose body does not come.
pub async fn begin(tier: &Tier, head: &str) -> TcpStream {
    let mut stream = TcpStream::connect(tier.address()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Waits until a request has this status. A change of the file is in force within two seconds.
pub async fn until_status(tier: &Tier, headers: &[(&str, &str)], expected: u16) {
    until(expected, async || status(tier, headers).await == expected).await;
}

pub async fn until_metric(tier: &Tier, line: &str) {
    let is_there = async || tier.admin("/metrics").await.1.lines().any(|l| l == line);
    until(line, is_there).await;
}

async fn until(expected: impl Display, is_reached: impl AsyncFn() -> bool) {
    let reached = async {
        while !is_reached().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), reached)
        .await
        .unwrap_or_else(|_| panic!("never {expected}"));
}
