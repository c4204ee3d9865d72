//! A bucket for one test, the function over it, and what is in the database after.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_s3::Server;
use lambda_ingest::config::Sweep;
use lambda_ingest::handler::Handler;
use lambda_ingest::objects::S3Objects;
use payment_core::{Draft, LogRecord, RequestId, Timestamp};
use payment_store::{Database, Store};
use serde_json::{Value, json};
use sqlx::{MySqlPool, Row};
use tempfile::TempDir;

pub const BUCKET: &str = "log";

pub struct Bucket {
    server: Server,
    _root: TempDir,
    pub store: Store,
    pool: MySqlPool,
}

impl Bucket {
    pub async fn start(pool: MySqlPool) -> Self {
        let root = TempDir::new().unwrap();
        let config = json!({
            "listen": "127.0.0.1:0", "root": root.path(), "region": "us-west-2", "account_id": "000000000000",
            "buckets": [{"name": BUCKET}],
            "identities": [{"access_key_id": "OPERATOR", "secret_access_key": "secret", "role": "operator", "admin": true}],
        });
        let server = Server::start(serde_json::from_value(config).unwrap())
            .await
            .unwrap();
        let store = Store::new(Database::parse(&url(&pool), None).unwrap().pool(1));
        Self {
            server,
            _root: root,
            store,
            pool,
        }
    }

    pub fn client(&self) -> Client {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-west-2"))
            .credentials_provider(Credentials::from_keys("OPERATOR", "secret", None))
            .endpoint_url(format!("http://{}", self.server.addr()))
            .force_path_style(true)
            .http_client(http);
        Client::from_conf(config.build())
    }

    pub fn objects(&self) -> S3Objects {
        S3Objects::new(self.client())
    }

    pub fn handler(&self) -> Handler<S3Objects> {
        Handler::new(self.objects(), self.store.clone(), sweep())
    }

    pub async fn put(&self, key: &str, body: &str) {
        let body = body.as_bytes().to_vec().into();
        self.client()
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body)
            .send()
            .await
            .unwrap();
    }

    /// Ids of all rows, sorted.
    pub async fn rows(&self) -> Vec<String> {
        self.column("SELECT payment_id FROM transactions ORDER BY payment_id")
            .await
    }

    pub async fn rejects(&self) -> Vec<String> {
        self.column("SELECT reason FROM rejects ORDER BY object_line")
            .await
    }

    async fn column(&self, sql: &'static str) -> Vec<String> {
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

pub fn sweep() -> Sweep {
    Sweep {
        bucket: Some(BUCKET.to_owned()),
        prefix: "transactions/".to_owned(),
        hours: 24,
    }
}

/// A line of the log.
pub fn line(id: &str) -> String {
    let body = json!({"id": id, "amount": "1.00"}).to_string();
    let draft = Draft::parse(body.as_bytes()).unwrap();
    let payment = draft
        .identify(None, || unreachable!("the body has an id"))
        .unwrap();
    let received_at = Timestamp::parse("2026-11-22T07:30:00Z").unwrap();
    LogRecord::new(payment, received_at, RequestId::parse("r").unwrap(), None).to_line()
}

/// S3's event for these keys, as S3 encodes them.
pub fn event(keys: &[&str]) -> Value {
    let record = |key: &&str| {
        json!({"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
               "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}})
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

fn url(pool: &MySqlPool) -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    format!("{host}/{}", pool.connect_options().get_database().unwrap())
}
