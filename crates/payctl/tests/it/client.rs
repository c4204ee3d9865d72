//! `payctl pay` and `payctl status`, at a load balancer that answers what the test tells it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{Said, payctl};

/// Answers in turn, and what was asked: method, path, body.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<u16>>>,
    asked: Arc<Mutex<Vec<(String, String, String)>>>,
}

async fn answer(State(script): State<Script>, request: Request) -> (StatusCode, String) {
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    let body = axum::body::to_bytes(request.into_body(), 1 << 16)
        .await
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    script.asked.lock().unwrap().push((method, path, body));
    let status = script.answers.lock().unwrap().pop_front().unwrap();
    (
        StatusCode::from_u16(status).unwrap(),
        format!("{{\"said\":{status}}}"),
    )
}

async fn run(answers: &[u16], args: &[&str]) -> (Said, Vec<(String, String, String)>) {
    let script = Script::default();
    script.answers.lock().unwrap().extend(answers);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::serve(
        listener,
        Router::new().fallback(answer).with_state(script.clone()),
    );
    let server = tokio::spawn(server.into_future());
    let said = payctl(args, &[("ALB_URL", url)]).await;
    server.abort();
    let asked = script.asked.lock().unwrap().clone();
    (said, asked)
}

#[tokio::test]
async fn p6_a_payment_is_repeated_under_its_id_until_there_is_an_answer() {
    let args = ["pay", "--transaction", "rent", "--amount", "100.00"];
    let (said, asked) = run(&[503, 502, 202], &args).await;
    said.check(0, &["202 Accepted", r#"{"said":202}"#]);
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|one| *one == asked[0]));
    let (method, path, body) = &asked[0];
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/pay"));
    let body: Value = serde_json::from_str(body).unwrap();
    assert!(body["id"].as_str().unwrap().starts_with("tx_"), "{body}");
    assert_eq!(
        (&body["amount"], body.get("currency")),
        (&"100.00".into(), None)
    );
}

#[tokio::test]
async fn a_no_is_not_repeated_and_a_server_that_stays_away_is_said_so() {
    let (said, asked) = run(&[409], &["pay", "--id", "a"]).await;
    said.check(1, &["409 Conflict"]);
    assert_eq!(asked.len(), 1);
    let (said, asked) = run(&[503; 4], &["pay", "--id", "a"]).await;
    said.check(2, &["503", "--id a"]);
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn status_tells_known_from_unknown() {
    for (answered, code) in [(200, 0), (404, 1), (503, 2)] {
        let (said, asked) = run(&[answered], &["status", "a"]).await;
        said.check(code, &[r#"{"said":"#]);
        assert_eq!(
            (asked[0].0.as_str(), asked[0].1.as_str()),
            ("GET", "/pay/a")
        );
    }
    payctl(&["status", "a b"], &[])
        .await
        .check(64, &["1 to 64"]);
}
