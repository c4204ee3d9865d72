//! Injected faults.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, Host, Setup, process_state};

/// A host whose function records what it gets.
async fn host() -> Host {
    let setup = Setup::new();
    let record = setup.path("record");
    setup.variable("PROBE_RECORD", &record).start().await
}

/// Number of payloads that the function got.
fn deliveries(host: &Host) -> usize {
    let text = fs::read_to_string(host.folder.path().join("record"));
    text.unwrap_or_default().lines().count()
}

#[tokio::test]
async fn a_throttled_call_is_refused_and_a_throttled_event_waits_without_an_attempt() {
    let host = host().await;
    host.client.fault("throttle", json!({})).await;
    let answer = host.client.invoke(json!({})).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("TooManyRequestsException")
    );
    host.client.send(json!({})).await;
    let status = host.client.status().await;
    assert_eq!(
        (&status["counts"]["invocations"], &status["queued"]),
        (&json!(0), &json!(1))
    );
    host.client.clear_faults().await;
    host.client
        .until(|status| status["counts"]["invocations"] == 1 && status["queued"] == 0)
        .await;
    assert_eq!(deliveries(&host), 1);
    host.stop().await;
}

#[tokio::test]
async fn a_killed_run_fails_and_its_event_comes_again() {
    let host = host().await;
    let pid = host.client.pid().await;
    let once = json!({"ms": 50, "count": 1});
    host.client.fault("kill", once.clone()).await;
    let answer = host.client.invoke(json!({"do": "hang"})).await;
    let error = answer.json();
    assert_eq!(error["errorType"], "Runtime.ExitError");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.ends_with("signal: SIGKILL"), "{message}");
    assert_eq!(process_state(pid), None);

    host.client.fault("kill", once).await;
    host.client.send(json!({"do": "sleep", "ms": 200})).await;
    let status = host
        .client
        .until(|status| status["counts"]["invocations"] == 4)
        .await;
    assert_eq!(status["recent"][0]["outcome"], "success");
    assert_eq!(status["recent"][1]["outcome"], "exit");
    host.stop().await;
}

#[tokio::test]
async fn a_run_that_is_timed_out_early_ends_as_on_a_real_timeout() {
    let host = host().await;
    let pid = host.client.pid().await;
    host.client
        .fault("timeout", json!({"ms": 50, "count": 1}))
        .await;
    let answer = host.client.invoke(json!({"do": "hang"})).await;
    let error = answer.json();
    assert_eq!(error["errorType"], "Sandbox.Timedout");
    let message = error["errorMessage"].as_str().unwrap();
    assert!(message.contains("Task timed out after 0.0"), "{message}");
    assert_eq!(process_state(pid), None);
    assert_eq!(host.client.status().await["counts"]["timeouts"], 1);
    assert_eq!(host.client.invoke(json!({})).await.json(), json!({}));
    host.stop().await;
}

#[tokio::test]
async fn an_event_whose_answer_is_lost_comes_again() {
    let host = host().await;
    host.client.fault("answer-lost", json!({"count": 1})).await;
    host.client.send(json!({})).await;
    let status = host
        .client
        .until(|status| status["counts"]["invocations"] == 2)
        .await;
    assert_eq!(status["recent"][0]["outcome"], "success");
    assert_eq!(status["recent"][1]["outcome"], "error");
    assert_eq!(deliveries(&host), 2);
    assert_eq!(host.client.dead_letters().await.len(), 0);
    host.stop().await;
}

#[tokio::test]
async fn an_event_can_come_twice_and_a_callers_invocation_can_not() {
    let host = host().await;
    host.client.fault("duplicate", json!({})).await;
    host.client.invoke(json!({})).await;
    assert_eq!(deliveries(&host), 1);
    host.client.send(json!({})).await;
    let status = host
        .client
        .until(|status| status["counts"]["invocations"] == 3 && status["running"] == 0)
        .await;
    assert_eq!(status["counts"]["errors"], 0);
    assert_eq!(deliveries(&host), 3);
    host.stop().await;
}

#[tokio::test]
async fn a_slow_event_waits_before_it_is_handed_over() {
    let host = host().await;
    host.client
        .fault("slow", json!({"ms": 300, "count": 1}))
        .await;
    let begun = Instant::now();
    host.client.invoke(json!({})).await;
    assert!(begun.elapsed() >= Duration::from_millis(300));
    host.stop().await;
}

#[tokio::test]
async fn without_the_token_faults_are_nobodys() {
    let host = host().await;
    for request in [
        host.client.anonymous(Method::GET, "/_lab/faults"),
        host.client.request(Method::DELETE, "/_lab/faults/kill"),
    ] {
        assert_eq!(Answer::of(request).await.status, StatusCode::FORBIDDEN);
    }
    host.stop().await;
}
