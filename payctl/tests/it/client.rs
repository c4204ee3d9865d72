//! `payctl pay` and `payctl status`, at a load balancer that answers what the test tells it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::harness::{Said, payctl};

/// Answers in turn, and what was asked: method, path, body.
#[derive(Clone, Default)]
pub struct Script {
    answers: Arc<Mutex<VecDeque<Reply>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub type Asked = (String, String, String);

/// Status, `Location`, and the body; in it `ID` stands for the id that was asked about.
pub type Reply = (u16, &'static str, &'static str);

pub const RECEIPT: Reply = (202, "", r#"{"id":"ID","status":"accepted"}"#);

const TAKEN: Reply = (
    409,
    "",
    r#"{"status":409,"code":"id_conflict","request_id":"r"}"#,
);

const BUSY: Reply = (
    503,
    "",
    r#"{"status":503,"code":"overloaded","request_id":"r"}"#,
);

impl Script {
    pub fn will_say(&self, answers: &[Reply]) {
        self.answers.lock().unwrap().extend(answers);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

pub async fn answer(State(script): State<Script>, request: Request) -> impl IntoResponse {
    let (method, path) = (
        request.method().to_string(),
        request.uri().path().to_owned(),
    );
    let body = axum::body::to_bytes(request.into_body(), 1 << 20)
        .await
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let id = serde_json::from_str::<Value>(&body)
        .ok()
        .and_then(|body| body["id"].as_str().map(str::to_owned))
        .unwrap_or_else(|| path.trim_start_matches("/pay/").to_owned());
    script.asked.lock().unwrap().push((method, path, body));
    let (status, location, said) = script.answers.lock().unwrap().pop_front().unwrap();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("location", location)], said.replace("ID", &id))
}

async fn run(answers: &[Reply], args: &[&str]) -> (Said, Vec<Asked>) {
    let script = Script::default();
    script.will_say(answers);
    serve(script, args).await
}

pub async fn serve(script: Script, args: &[&str]) -> (Said, Vec<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = axum::serve(
        listener,
        Router::new().fallback(answer).with_state(script.clone()),
    );
    let server = tokio::spawn(server.into_future());
    let said = payctl(args, &[("ALB_URL", url)]).await;
    server.abort();
    (said, script.asked())
}

#[tokio::test]
async fn p6_a_payment_is_repeated_under_its_id_until_there_is_an_answer() {
    let args = ["pay", "--transaction", "rent", "--amount", "100.00"];
    let (said, asked) = run(&[BUSY, (502, "", ""), RECEIPT], &args).await;
    let (method, path, body) = &asked[0];
    let sent: Value = serde_json::from_str(body).unwrap();
    let id = sent["id"].as_str().unwrap();
    assert!(id.starts_with("tx_"), "{sent}");
    said.check(0, &["202 Accepted", id]);
    assert!(said.out.starts_with(&format!("id {id}\n")), "{}", said.out);
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|one| *one == asked[0]));
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/pay"));
    assert_eq!(
        (&sent["amount"], sent.get("currency")),
        (&"100.00".into(), None)
    );
}

#[tokio::test]
async fn a_refusal_is_not_repeated_and_a_server_that_stays_away_is_said_so() {
    let (said, asked) = run(&[TAKEN], &["pay", "--id", "a"]).await;
    said.check(1, &["409 Conflict"]);
    assert_eq!(asked.len(), 1);
    let (said, asked) = run(&[BUSY; 4], &["pay", "--id", "a"]).await;
    said.check(2, &["503", "--id a"]);
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn p1_only_a_receipt_for_the_payment_means_accepted() {
    let page = r"<html>Welcome to the airport</html>";
    for reply in [
        (301, "/pay", ""),
        (200, "", page),
        (200, "", r#"{"id":"other","status":"accepted"}"#),
        (201, "", RECEIPT.2),
        (403, "", page),
        (422, "", r#"{"status":400,"code":"x","request_id":"r"}"#),
    ] {
        let (said, asked) = run(&[reply, RECEIPT], &["pay", "--id", "a"]).await;
        said.check(2, &["neither a receipt", "--id a"]);
        assert_eq!(asked.len(), 1, "{asked:?}");
    }
}

#[tokio::test]
async fn p6_a_refusal_after_an_unanswered_try_is_not_known() {
    let (said, asked) = run(&[BUSY, BUSY, TAKEN], &["pay", "--id", "a"]).await;
    said.check(2, &["may have been taken", "payctl trace a"]);
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn status_says_clean_of_a_recorded_payment_alone() {
    let missing = r#"{"status":404,"code":"not_found","request_id":"r"}"#;
    for (reply, code) in [
        ((200, "", r#"{"id":"a","state":"recorded"}"#), 0),
        ((200, "", r#"{"id":"a","state":"accepted"}"#), 2),
        ((200, "", r#"{"id":"a","state":"conflict"}"#), 1),
        ((200, "", r#"{"id":"a","state":"rejected"}"#), 1),
        ((200, "", r#"{"id":"b","state":"recorded"}"#), 2),
        ((200, "", "<html>Pay</html>"), 2),
        ((302, "/", ""), 2),
        ((404, "", missing), 1),
        ((404, "", "nginx"), 2),
        (BUSY, 2),
    ] {
        let (said, asked) = run(&[reply], &["status", "a"]).await;
        said.check(code, &[reply.2]);
        let (method, path, _) = &asked[0];
        assert_eq!((method.as_str(), path.as_str()), ("GET", "/pay/a"));
    }
}

#[tokio::test]
async fn what_is_no_id_is_not_asked_about() {
    for id in ["a b", ".", ".."] {
        payctl(&["status", id], &[]).await.check(64, &["1 to 64"]);
    }
}

#[tokio::test]
async fn a_terminal_obeys_no_answer() {
    let evil = "{\"id\":\"a\"}\u{1b}]0;x\u{7}\r\n\u{9b}2J";
    for args in [["status", "a"].as_slice(), &["pay", "--id", "a"]] {
        let (said, _) = run(&[(200, "", evil)], args).await;
        let is_obeyed = |c: char| c.is_control() && c != '\n';
        assert!(!said.out.contains(is_obeyed), "{:?}", said.out);
    }
}
