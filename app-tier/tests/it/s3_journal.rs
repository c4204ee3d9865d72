//! The log as S3 answers it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use app_tier::journal::{Encryption, Journal as _, Put, S3Journal};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use payment_core::ObjectKey;
use tokio::net::TcpListener;

type Answers = Arc<Mutex<VecDeque<(u16, &'static str)>>>;

async fn answer(State(answers): State<Answers>) -> (StatusCode, String) {
    let next = answers.lock().unwrap().pop_front();
    let (status, code) = next.expect("no more PUTs");
    let body = match status {
        200 => String::new(),
        _ => format!("<Error><Code>{code}</Code></Error>"),
    };
    (StatusCode::from_u16(status).unwrap(), body)
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
        (200, ""),
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
