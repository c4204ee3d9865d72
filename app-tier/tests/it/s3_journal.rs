//! The log as S3 answers it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use app_tier::journal::{Encryption, Journal as _, Put, S3Journal};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::Response;
use payment_core::{ObjectKey, Timestamp};
use tokio::net::TcpListener;
use uuid::Uuid;

type Answers = Arc<Mutex<VecDeque<(u16, &'static str)>>>;

/// The word is the ETag of what was stored, or the code of an error.
async fn answer(State(answers): State<Answers>) -> Response {
    let next = answers.lock().unwrap().pop_front();
    let (status, word) = next.expect("no more PUTs");
    let answer = Response::builder().status(status);
    match (status, word) {
        (300.., _) => answer.body(format!("<Error><Code>{word}</Code></Error>").into()),
        (_, "") => answer.body("<html>welcome</html>".into()),
        (_, etag) => answer.header(ETAG, etag).body(Body::empty()),
    }
    .unwrap()
}

/// A log on a server that gives these answers, in their order.
async fn log(answers: &Answers) -> S3Journal {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(answer).with_state(answers.clone());
    tokio::spawn(axum::serve(listener, router).into_future());
    let config = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-west-2"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .build();
    S3Journal::new(
        Client::from_conf(config),
        "log".to_owned(),
        Encryption::Unstated,
    )
}

#[tokio::test]
async fn p5_a_put_that_was_damaged_or_met_another_is_sent_again() {
    let answers = Answers::new(Mutex::new(VecDeque::from([
        (400, "BadDigest"),
        (409, "ConditionalRequestConflict"),
        (200, "\"e\""),
    ])));
    let log = log(&answers).await;
    let key = ObjectKey::parse("transactions/a.ndjson").unwrap();
    let put = log.put(&key, "{}".into()).await.unwrap();
    assert!(matches!(put, Put::Stored));
    assert!(answers.lock().unwrap().is_empty());
}

#[tokio::test]
async fn p5_a_put_that_is_refused_for_good_is_not_sent_again() {
    for refused in [vec![(403, "AccessDenied")], vec![(400, "BadDigest"); 3]] {
        let answers = Answers::new(Mutex::new(refused.into()));
        let log = log(&answers).await;
        let key = ObjectKey::parse("transactions/a.ndjson").unwrap();
        log.put(&key, "{}".into()).await.unwrap_err();
        assert!(answers.lock().unwrap().is_empty());
    }
}

/// A page of a proxy, say, or a server that takes no condition.
#[tokio::test]
async fn p1_an_answer_that_s3_gives_to_no_stored_batch_is_no_success() {
    let batch = ObjectKey::batch("transactions/", Timestamp::EPOCH, Uuid::nil(), "a");
    for answer in [(200, ""), (204, ""), (412, "PreconditionFailed")] {
        let answers = Answers::new(Mutex::new(VecDeque::from([answer])));
        let log = log(&answers).await;
        log.put(&batch, "{}".into()).await.unwrap_err();
    }
}

#[tokio::test]
async fn p1_a_batch_that_is_there_after_a_try_without_an_answer_is_stored() {
    let answers = Answers::new(Mutex::new(VecDeque::from([
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
    ])));
    let log = log(&answers).await;
    let batch = ObjectKey::batch("transactions/", Timestamp::EPOCH, Uuid::nil(), "a");
    let put = log.put(&batch, "{}".into()).await.unwrap();
    assert!(matches!(put, Put::AlreadyThere));
}
