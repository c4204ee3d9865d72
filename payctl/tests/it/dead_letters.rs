//! `payctl replay --dead-letters`, on the lab's SQS.

use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use axum::Router;
use axum::http::StatusCode;
use serde_json::json;
use sqlx::MySqlPool;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::Barrier;

use crate::harness::{HOUR, Pipeline, Said, event, lines};

pub const QUEUE: &str = "dead";

/// The pipeline with a queue of dead letters.
pub struct Letters {
    pub pipeline: Pipeline,
    pub client: Client,
    pub url: String,
    _server: lab_sqs::Server,
    _root: TempDir,
}

impl Letters {
    pub async fn start(pool: MySqlPool) -> Self {
        let root = TempDir::new().unwrap();
        let config = json!({
            "listen": "127.0.0.1:0", "root": root.path(), "region": "us-west-2", "account_id": "000000000000",
            "access_key_ids": ["OPERATOR00000000", "SHORTSIGHTED0000"], "queues": [{"name": QUEUE}],
        });
        let config = serde_json::from_value(config).unwrap();
        let server = lab_sqs::Server::start(config).await.unwrap();
        let endpoint = format!("http://{}", server.addr());
        let url = format!("{endpoint}/000000000000/{QUEUE}");
        let mut pipeline = Pipeline::start(pool).await;
        pipeline.set("DEAD_LETTER_QUEUE_URL", url.clone());
        // As `cargo lab env` sets it: the general address is that of S3.
        pipeline.set("AWS_ENDPOINT_URL", "http://127.0.0.1:9".to_owned());
        Self {
            pipeline,
            client: client(&endpoint),
            url,
            _server: server,
            _root: root,
        }
    }

    pub async fn send(&self, body: &str) {
        let send = self.client.send_message().queue_url(&self.url);
        send.message_body(body).send().await.unwrap();
    }

    /// Takes a letter, as another operator would.
    async fn receive(&self) -> Option<String> {
        let receive = self.client.receive_message().queue_url(&self.url);
        let received = receive.visibility_timeout(600).send().await.unwrap();
        received.messages?.pop()?.body
    }

    async fn purge(&self) {
        let purge = self.client.purge_queue().queue_url(&self.url);
        purge.send().await.unwrap();
    }

    async fn replay(&self) -> Said {
        let args = ["replay", "--dead-letters", "--jobs", "3"];
        self.pipeline.payctl(&args).await
    }
}

fn client(endpoint: &str) -> Client {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::from_static("us-west-2"))
        .credentials_provider(Credentials::from_keys("OPERATOR00000000", "secret", None))
        .endpoint_url(endpoint)
        .http_client(http);
    Client::from_conf(config.build())
}

pub fn key(name: &str) -> String {
    format!("{HOUR}{name}.ndjson")
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_is_deleted_once_all_its_objects_are_ingested(pool: MySqlPool) {
    let mut letters = Letters::start(pool).await;
    for (name, ids) in [("1", ["a"]), ("2", ["b"]), ("3", ["c"])] {
        letters.pipeline.put(&key(name), &lines(&ids)).await;
    }
    letters.send(&event(&key("1")).to_string()).await;
    let wrapped = json!({"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event(&key("2"))});
    letters.send(&wrapped.to_string()).await;
    // The event of one object that is there and of one that S3 does not give.
    let mut half = event(&key("3"));
    let hidden = event(&key("hidden"))["Records"][0].clone();
    half["Records"].as_array_mut().unwrap().push(hidden);
    letters.pipeline.put(&key("hidden"), &lines(&["h"])).await;
    letters.send(&half.to_string()).await;

    letters.pipeline.become_shortsighted();
    let said = letters.replay().await;
    said.check(2, &["AccessDenied", "run this again"]);
    assert_eq!(letters.pipeline.rows().await, ["a", "b", "c"]);
    let counts = ["letters done and deleted", "letters kept"];
    assert_eq!(counts.map(|name| said.count(name)), [2, 1]);
    assert_eq!(letters.receive().await, Some(half.to_string()));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_without_its_object_is_not_clean(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    let body = event(&key("gone")).to_string();
    letters.send(&body).await;
    let said = letters.replay().await;
    said.check(
        1,
        &["last trace", "list-object-versions", "payctl reconcile"],
    );
    assert_eq!(said.count("letters kept"), 1);
    assert_eq!(letters.receive().await, Some(body));
}

/// What S3 holds now is another version, and that it was ingested says nothing of the one before.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_of_a_version_that_was_never_ingested_is_kept(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    let (key, pipeline) = (key("1"), &letters.pipeline);
    let named = async |ids: &[&str]| {
        pipeline.put(&key, &lines(ids)).await;
        let mut event = event(&key);
        event["Records"][0]["s3"]["object"]["eTag"] = json!(pipeline.etag(&key).await);
        event.to_string()
    };
    let lost = named(&["lost"]).await;
    letters.send(&lost).await;
    letters.send(&named(&["a"]).await).await;
    let said = letters.replay().await;
    said.check(
        1,
        &["replaced before it was ingested", "list-object-versions"],
    );
    let counts = ["letters done and deleted", "letters kept"];
    assert_eq!(counts.map(|name| said.count(name)), [1, 1]);
    assert_eq!(letters.receive().await, Some(lost.clone()));
    assert_eq!(pipeline.rows().await, ["a"]);
    letters.purge().await;

    // Once it is ingested, it may be replaced.
    named(&["lost"]).await;
    pipeline.payctl(&["replay"]).await.check(0, &[]);
    named(&["b"]).await;
    letters.send(&lost).await;
    let said = letters.replay().await;
    said.check(0, &[]);
    assert_eq!(said.count("letters done and deleted"), 1);
    // A folder is in no ledger.
    let folder = "transactions/folder/";
    pipeline.put(folder, "").await;
    for (etag, code) in [(pipeline.etag(folder).await, 0), ("e".to_owned(), 1)] {
        let mut event = crate::harness::event(folder);
        event["Records"][0]["s3"]["object"]["eTag"] = json!(etag);
        letters.send(&event.to_string()).await;
        letters.replay().await.check(code, &[]);
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_that_brings_no_object_is_kept_and_named(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    let mut told = vec![(json!({"Records": []}), "the event has no records")];
    for name in [
        "ObjectRemoved:Delete",
        "LifecycleExpiration:Delete",
        "ReducedRedundancyLostObject",
    ] {
        let mut event = event(&key("1"));
        event["Records"][0]["eventName"] = json!(name);
        told.push((event, name));
    }
    for (event, said) in told {
        letters.send(&event.to_string()).await;
        letters
            .replay()
            .await
            .check(1, &[said, "stays in the queue"]);
        letters.purge().await;
    }
}

/// Whoever may write to the queue would else choose what becomes a row.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_of_an_object_outside_the_journal_ingests_nothing(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    letters
        .pipeline
        .put("elsewhere/1.ndjson", &lines(&["e"]))
        .await;
    letters.pipeline.put(&key("1"), &lines(&["a"])).await;
    let outside = event("elsewhere/1.ndjson");
    let mut foreign = event(&key("1"));
    foreign["Records"][0]["s3"]["bucket"]["name"] = json!("other");
    for (letter, named) in [
        (outside, "s3://log/elsewhere/1.ndjson"),
        (foreign, "s3://other/"),
    ] {
        letters.send(&letter.to_string()).await;
        let said = letters.replay().await;
        said.check(1, &[named, "lies outside s3://log/transactions/"]);
        assert_eq!(said.count("objects outside the journal"), 1);
        assert_eq!(letters.receive().await, Some(letter.to_string()));
        assert_eq!(letters.pipeline.rows().await, [""; 0]);
        letters.purge().await;
    }
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_that_is_no_event_is_not_clean(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    letters.send("nonsense").await;
    let said = letters.replay().await;
    said.check(1, &["the event is not JSON", "stays in the queue"]);
    assert_eq!(letters.receive().await, Some("nonsense".to_owned()));
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_letters_of_a_failed_run_are_there_for_the_next(pool: MySqlPool) {
    let mut letters = Letters::start(pool).await;
    for name in ["1", "2", "3"] {
        letters.pipeline.put(&key(name), &lines(&[name])).await;
        letters.send(&event(&key(name)).to_string()).await;
    }
    let right = letters.pipeline.database();
    let (server, _) = right.rsplit_once('/').unwrap();
    letters
        .pipeline
        .set("DATABASE_URL", format!("{server}/no_such_schema"));
    let said = letters.replay().await;
    said.check(2, &["run this again"]);
    let counts = ["letters kept", "letters in the queue now", "in other hands"];
    assert_eq!(counts.map(|name| said.count(name)), [3, 3, 0]);

    letters.pipeline.set("DATABASE_URL", right);
    let said = letters.replay().await;
    said.check(0, &[]);
    assert_eq!(said.count("letters done and deleted"), 3);
    assert_eq!(letters.pipeline.rows().await, ["1", "2", "3"]);
}

/// As another operator does, or a run that was killed.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_in_other_hands_is_not_clean(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    letters.send(&event(&key("1")).to_string()).await;
    letters.receive().await.unwrap();
    let said = letters.replay().await;
    said.check(2, &["were not looked at"]);
    assert_eq!(said.count("in other hands"), 1);
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn an_empty_queue_is_clean(pool: MySqlPool) {
    let said = Letters::start(pool).await.replay().await;
    said.check(0, &[]);
    let counts = ["letters in the queue now", "in other hands", "delayed"];
    assert_eq!(counts.map(|name| said.count(name)), [0, 0, 0]);
}

/// S3 answers none of three requests before it has them all.
#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn letters_are_worked_on_side_by_side(pool: MySqlPool) {
    let mut letters = Letters::start(pool).await;
    for name in ["1", "2", "3"] {
        letters.send(&event(&key(name)).to_string()).await;
    }
    let all = Arc::new(Barrier::new(3));
    let missing = "<Error><Code>NoSuchKey</Code></Error>";
    let answer = async move || {
        all.wait().await;
        (StatusCode::NOT_FOUND, missing)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let s3 = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    letters.pipeline.set("AWS_ENDPOINT_URL_S3", s3);
    let said = letters.replay().await;
    said.check(1, &[]);
    assert_eq!(said.count("letters kept"), 3);
    server.abort();
}

#[sqlx::test(migrator = "payment_store::MIGRATOR")]
async fn p2_a_letter_is_not_deleted_unread(pool: MySqlPool) {
    let letters = Letters::start(pool).await;
    letters.pipeline.put(&key("1"), &lines(&["a"])).await;
    let mut both = event(&key("1"));
    both["Event"] = json!("s3:TestEvent");
    letters.send(&both.to_string()).await;
    let folder = event("transactions/deleted/");
    letters.send(&folder.to_string()).await;
    let said = letters.replay().await;
    said.check(1, &["it stays in the queue", "deleted/ is gone"]);
    assert_eq!(said.count("letters kept"), 2);
}
