//! Injected faults.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Lab, PLAIN, attribute, bodies, code};

#[tokio::test]
async fn an_error_does_nothing_and_a_lost_answer_hides_what_was_done() {
    let lab = Lab::start().await;
    for (kind, left) in [("error", 0), ("answer-lost", 1)] {
        lab.fault(kind, &json!({"count": 1})).await;
        let request = lab.client.send_message().queue_url(lab.url(PLAIN));
        let sent = request.message_body("a").send().await;
        assert_eq!(code(sent), "InternalFailure");
        assert_eq!(lab.depth(PLAIN).await, [left, 0, 0], "{kind}");
    }
    lab.end().await;
}

#[tokio::test]
async fn a_duplicate_comes_once_more() {
    let lab = Lab::start().await;
    lab.send(PLAIN, "a").await;
    lab.fault("duplicate", &json!({"count": 1})).await;
    let first = lab.receive(PLAIN, 600).await.pop().unwrap();
    let second = lab.receive(PLAIN, 600).await.pop().unwrap();
    assert_eq!(bodies(&[first, second.clone()]), ["a", "a"]);
    assert_eq!(attribute(&second, "ApproximateReceiveCount"), "2");
    assert_eq!(lab.receive(PLAIN, 600).await, []);
    lab.end().await;
}

#[tokio::test]
async fn slowness_is_felt() {
    let lab = Lab::start().await;
    lab.fault("slow", &json!({"ms": 300, "count": 1})).await;
    let begun = Instant::now();
    lab.send(PLAIN, "a").await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    lab.end().await;
}

#[tokio::test]
async fn without_the_token_faults_are_nobodys() {
    let lab = Lab::start().await;
    let url = format!("{}/_lab/faults", lab.endpoint());
    let answer = reqwest::Client::new().get(&url).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    lab.end().await;
}
