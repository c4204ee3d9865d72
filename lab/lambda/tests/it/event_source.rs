//! The function invoked with a queue's messages.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::sqs::{DEAD, EVENTS, Sqs};
use crate::support::{Host, Setup, eventually};

/// A host fed by the queue, whose function records what it gets.
async fn host(sqs: &Sqs, report_batch_item_failures: bool) -> Host {
    let setup = Setup::new().with(|config| {
        let mut source = sqs.event_source();
        source.report_batch_item_failures = report_batch_item_failures;
        config.event_source = Some(source);
    });
    let record = setup.path("record");
    setup.variable("PROBE_RECORD", &record).start().await
}

fn recorded(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("record")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn messages_come_as_lambdas_event_and_are_deleted_once_the_function_succeeded() {
    let sqs = Sqs::start().await;
    let ids = sqs.send(&["first", "second"]).await;
    let host = host(&sqs, true).await;
    sqs.until_depth(EVENTS, [0, 0]).await;
    let events = recorded(host.folder.path());
    assert_eq!(events.len(), 1);
    let records = events[0]["Records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    for (record, (id, body)) in records.iter().zip(ids.iter().zip(["first", "second"])) {
        for (name, value) in [
            ("messageId", id.as_str()),
            ("body", body),
            ("eventSource", "aws:sqs"),
            (
                "eventSourceARN",
                "arn:aws:sqs:us-west-2:000000000000:events",
            ),
            ("awsRegion", "us-west-2"),
        ] {
            assert_eq!(record[name], value);
        }
        assert_eq!(record["attributes"]["ApproximateReceiveCount"], "1");
        assert!(record["attributes"]["SentTimestamp"].is_string());
        assert_eq!(record["messageAttributes"], json!({}));
        assert_eq!(record["md5OfBody"].as_str().unwrap().len(), 32);
        assert!(!record["receiptHandle"].as_str().unwrap().is_empty());
    }
    host.stop().await;
    sqs.end().await;
}

#[tokio::test]
async fn p2_only_messages_that_failed_come_again() {
    let sqs = Sqs::start().await;
    sqs.send(&["fine", "fail"]).await;
    let host = host(&sqs, true).await;
    // It is received twice; at the third time it becomes a dead letter.
    sqs.until_depth(DEAD, [1, 0]).await;
    assert_eq!(sqs.bodies(DEAD).await, ["fail"]);
    assert_eq!(sqs.depth(EVENTS).await, [0, 0]);
    let sizes: Vec<_> = recorded(host.folder.path())
        .iter()
        .map(|event| event["Records"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [2, 1]);
    host.stop().await;
    sqs.end().await;
}

#[tokio::test]
async fn p2_a_function_that_fails_or_reports_nonsense_loses_no_message() {
    for body in ["error", "garble"] {
        let sqs = Sqs::start().await;
        sqs.send(&["fine", body]).await;
        let host = host(&sqs, true).await;
        sqs.until_depth(DEAD, [2, 0]).await;
        let mut both = [body, "fine"];
        both.sort_unstable();
        assert_eq!(sqs.bodies(DEAD).await, both);
        host.stop().await;
        sqs.end().await;
    }
}

#[tokio::test]
async fn without_reports_a_success_is_one_of_all_messages() {
    let sqs = Sqs::start().await;
    sqs.send(&["fine", "fail"]).await;
    let host = host(&sqs, false).await;
    sqs.until_depth(EVENTS, [0, 0]).await;
    assert_eq!(sqs.depth(DEAD).await, [0, 0]);
    host.stop().await;
    sqs.end().await;
}

#[tokio::test]
async fn p2_a_message_whose_run_is_broken_off_by_a_shutdown_comes_again() {
    let sqs = Sqs::start().await;
    sqs.send(&["hang"]).await;
    let host = host(&sqs, true).await;
    host.client.until(|status| status["running"] == 1).await;
    host.stop().await;
    sqs.until_depth(EVENTS, [1, 0]).await;
    sqs.end().await;
}

#[tokio::test]
async fn while_the_function_is_throttled_messages_stay_in_the_queue() {
    let sqs = Sqs::start().await;
    let host = host(&sqs, true).await;
    host.client.fault("throttle", json!({})).await;
    // The poll that is in flight may take some of them; their invocation has to wait.
    sqs.send(&["a", "b"]).await;
    eventually(
        async || Ok::<_, ()>(host.client.injected("throttle").await),
        |throttled| *throttled >= 5,
    )
    .await;
    assert_eq!(sqs.depth(EVENTS).await.iter().sum::<usize>(), 2);
    assert_eq!(host.client.status().await["counts"]["invocations"], 0);
    host.client.clear_faults().await;
    sqs.until_depth(EVENTS, [0, 0]).await;
    assert_eq!(sqs.depth(DEAD).await, [0, 0]);
    host.stop().await;
    sqs.end().await;
}

#[tokio::test]
async fn a_queue_that_was_away_is_polled_again() {
    let sqs = Sqs::start().await;
    sqs.fault("error", json!({})).await;
    let host = host(&sqs, true).await;
    // More failures than the client itself retries.
    eventually(
        async || Ok::<_, ()>(sqs.injected("error").await),
        |errors| *errors >= 3,
    )
    .await;
    sqs.clear_faults().await;
    sqs.send(&["fine"]).await;
    sqs.until_depth(EVENTS, [0, 0]).await;
    host.stop().await;
    sqs.end().await;
}
