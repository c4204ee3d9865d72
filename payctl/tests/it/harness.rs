//! A bucket and a database for one test, and the program over both.

use std::process::{Output, Stdio};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::DateTime;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use lab_s3::Server;
use payment_core::{ClientName, Draft, LogRecord, RequestId, Timestamp};
use serde_json::{Value, json};
use sqlx::mysql::MySqlRow;
use sqlx::{AssertSqlSafe, MySqlPool, Row as _};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub const BUCKET: &str = "log";

pub const HOUR: &str = "transactions/dt=2026-11-22/hh=07/";

/// What the lab's switches for faults ask for.
const TOKEN: &str = "control-token";

pub struct Pipeline {
    server: Server,
    _root: TempDir,
    pool: MySqlPool,
    variables: Vec<(&'static str, String)>,
}

/// How the program ended, and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Pipeline {
    pub async fn start(pool: MySqlPool) -> Self {
        let root = TempDir::new().unwrap();
        let policy = root.path().join("policy.json");
        std::fs::write(&policy, shortsighted().to_string()).unwrap();
        let config = json!({
            "listen": "127.0.0.1:0", "root": root.path(), "region": "us-west-2", "account_id": "000000000000",
            "buckets": [{"name": BUCKET}], "control_token": TOKEN,
            "identities": [
                {"access_key_id": "OPERATOR00000000", "secret_access_key": "secret", "role": "operator", "admin": true},
                {"access_key_id": "SHORTSIGHTED0000", "secret_access_key": "secret", "role": "shortsighted",
                 "policies": [&policy]},
            ],
        });
        let config = serde_json::from_value(config).unwrap();
        let server = Server::start(config).await.unwrap();
        let variables = vec![
            ("LOG_BUCKET", BUCKET.to_owned()),
            ("DATABASE_URL", url(&pool)),
            ("AWS_REGION", "us-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", "OPERATOR00000000".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_ENDPOINT_URL_S3", format!("http://{}", server.addr())),
        ];
        Self {
            server,
            _root: root,
            pool,
            variables,
        }
    }

    /// The database's address, as `DATABASE_URL`.
    pub fn database(&self) -> String {
        url(&self.pool)
    }

    pub fn set(&mut self, name: &'static str, value: String) {
        self.variables.push((name, value));
    }

    pub async fn payctl(&self, args: &[&str]) -> Said {
        payctl(args, &self.variables).await
    }

    /// Starts the program, and does not wait for its end.
    pub fn start_payctl(&self, args: &[&str]) -> Child {
        let mut command = command(args, &self.variables);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Every request to S3 waits so long before it is handled.
    pub async fn slow_down_s3(&self, milliseconds: u32) {
        let url = format!("http://{}/_lab/faults/latency", self.server.addr());
        let request = reqwest::Client::new().put(url).bearer_auth(TOKEN);
        let answer = request
            .json(&json!({"rate": 1.0, "ms": milliseconds}))
            .send();
        assert!(answer.await.unwrap().status().is_success());
    }

    /// S3 goes away, in the midst of what others do.
    pub async fn end_s3(self) {
        self.server.shutdown().await;
    }

    /// Every object old enough to be judged.
    pub async fn reconcile(&self) -> Said {
        self.payctl(&["reconcile", "--settle", "0"]).await
    }

    pub async fn put(&self, key: &str, body: &str) {
        let put = self.client().put_object().bucket(BUCKET).key(key);
        put.body(body.as_bytes().to_vec().into())
            .send()
            .await
            .unwrap();
    }

    /// Puts it in a later second than the object that is there: S3 tells whole seconds.
    pub async fn put_later(&self, key: &str, body: &str) {
        let before = self.stored_at(key).await;
        while self.stored_at(key).await == before {
            self.put(key, body).await;
        }
    }

    /// The `ETag` of what is there now, as events name it.
    pub async fn etag(&self, key: &str) -> String {
        let head = self.client().head_object().bucket(BUCKET).key(key);
        let etag = head.send().await.unwrap().e_tag.unwrap();
        etag.trim_matches('"').to_owned()
    }

    pub fn s3_url(&self) -> String {
        format!("http://{}", self.server.addr())
    }

    pub fn pool(&self) -> MySqlPool {
        self.pool.clone()
    }

    async fn stored_at(&self, key: &str) -> Option<i64> {
        let head = self.client().head_object().bucket(BUCKET).key(key);
        let stored = head.send().await.unwrap();
        stored.last_modified().map(DateTime::secs)
    }

    pub async fn delete(&self, key: &str) {
        let delete = self.client().delete_object().bucket(BUCKET).key(key);
        delete.send().await.unwrap();
    }

    /// As one who may read all objects but those with `hidden` in their keys.
    pub fn become_shortsighted(&mut self) {
        self.set("AWS_ACCESS_KEY_ID", "SHORTSIGHTED0000".to_owned());
    }

    /// As the server's administrator: no user of the pipeline can change a row.
    pub async fn admin(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await;
        assert_eq!(done.expect(sql).rows_affected(), 1, "{sql}");
    }

    /// Statements of any kind, as the administrator.
    pub async fn run_sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&self.pool)
            .await
            .expect(sql);
    }

    /// Returns once another connection waits for a table that is locked.
    pub async fn until_a_table_is_waited_for(&self) {
        let schema: String = sqlx::query_scalar("SELECT DATABASE()")
            .fetch_one(&self.pool)
            .await
            .unwrap();
        // A SELECT from this list fails on MySQL while a statement in it holds a character of four bytes.
        let is_waiting = |row: &MySqlRow| {
            row.get::<Option<String>, _>("db").as_ref() == Some(&schema)
                && row
                    .get::<Option<String>, _>("State")
                    .is_some_and(|state| state.starts_with("Waiting for table"))
        };
        loop {
            let list = sqlx::raw_sql("SHOW PROCESSLIST").fetch_all(&self.pool);
            if list.await.unwrap().iter().any(is_waiting) {
                return;
            }
        }
    }

    /// Ids of all rows, sorted.
    pub async fn rows(&self) -> Vec<String> {
        let rows = sqlx::query_scalar("SELECT payment_id FROM transactions ORDER BY payment_id");
        rows.fetch_all(&self.pool).await.unwrap()
    }

    pub fn client(&self) -> Client {
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .build_https();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::from_static("us-west-2"))
            .credentials_provider(Credentials::from_keys("OPERATOR00000000", "secret", None))
            .endpoint_url(format!("http://{}", self.server.addr()))
            .force_path_style(true)
            .http_client(http);
        Client::from_conf(config.build())
    }
}

const COMMANDS: [&str; 2] = ["reconcile", "verify"];

/// An ingested batch of `a` and `b`, and a single object of an older system.
pub async fn ingested(pool: MySqlPool) -> Pipeline {
    let pipeline = Pipeline::start(pool).await;
    pipeline.put(&first(), &lines(&["a", "b"])).await;
    pipeline.put("transactions/x.json", r#"{"id":"x"}"#).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    pipeline
}

pub fn first() -> String {
    format!("{HOUR}1.ndjson")
}

pub async fn check(pipeline: &Pipeline, code: i32, args: &[&str], parts: &[&str]) {
    for command in COMMANDS {
        let args = [&[command, "--settle", "0"], args].concat();
        pipeline.payctl(&args).await.check(code, parts);
    }
}

impl Said {
    #[track_caller]
    pub fn check(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        for part in parts {
            assert!(
                self.out.contains(part) || self.err.contains(part),
                "{part:?} is not in {}{}",
                self.out,
                self.err
            );
        }
        for secret in ["secret", "hunter2", "Jane"] {
            assert!(
                !self.out.contains(secret) && !self.err.contains(secret),
                "{}{}",
                self.out,
                self.err
            );
        }
    }

    /// The count that stands behind a name.
    #[track_caller]
    pub fn count(&self, name: &str) -> u64 {
        let line = self
            .out
            .lines()
            .find_map(|line| line.trim().strip_prefix(name));
        let count = line.unwrap_or_else(|| panic!("{name:?} is not in {}", self.out));
        count.trim().replace(',', "").parse().unwrap()
    }
}

/// The program with these variables, and of the test's own environment just what a process needs.
pub async fn payctl(args: &[&str], variables: &[(&'static str, String)]) -> Said {
    said(command(args, variables).output().await.unwrap())
}

fn command(args: &[&str], variables: &[(&'static str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payctl"));
    command
        .args(args)
        .env_clear()
        .envs(variables.iter().cloned())
        .kill_on_drop(true);
    command
}

pub fn said(output: Output) -> Said {
    let Output {
        status,
        stdout,
        stderr,
    } = output;
    Said {
        code: status.code().unwrap(),
        out: String::from_utf8(stdout).unwrap(),
        err: String::from_utf8(stderr).unwrap(),
    }
}

fn shortsighted() -> Value {
    let objects = format!("arn:aws:s3:::{BUCKET}/*");
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}")},
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{BUCKET}/*hidden*")},
    ]})
}

/// A line of the log.
pub fn line(body: &Value) -> String {
    line_of("", body)
}

/// The line of this client's payment.
pub fn line_of(client: &str, body: &Value) -> String {
    let draft = Draft::parse(body.to_string().as_bytes()).unwrap();
    let payment = draft
        .identify(None, || unreachable!("the body has an id"))
        .unwrap();
    let received_at = Timestamp::parse("2026-11-22T07:30:00Z").unwrap();
    LogRecord::new(
        payment.of_client(ClientName::from_stored(client).unwrap()),
        received_at,
        RequestId::parse("req-1").unwrap(),
        None,
    )
    .to_line()
}

/// A batch of payments with these ids.
pub fn lines(ids: &[&str]) -> String {
    let body =
        |id: &&str| json!({"id": id, "amount": "12.50", "payer_name": "Jane", "note": {"n": 1.10}});
    ids.iter().map(|id| line(&body(id))).collect()
}

/// S3's event for one key.
pub fn event(key: &str) -> Value {
    json!({"Records": [{"eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
                        "s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]})
}

pub fn url(pool: &MySqlPool) -> String {
    let server = std::env::var("DATABASE_URL").unwrap();
    let (host, _) = server.split('?').next().unwrap().rsplit_once('/').unwrap();
    format!("{host}/{}", pool.connect_options().get_database().unwrap())
}
