//! Queued events: retries, dead letters, and what survives a restart.

use std::fs;
use std::time::Instant;

use lab_lambda::ScheduleConfig;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Host, Setup, eventually};

fn queued_files(host: &Host) -> usize {
    fs::read_dir(host.state().join("queue")).unwrap().count()
}

async fn redrive(host: &Host, id: &str) -> Answer {
    let path = format!("/_lab/dead-letters/{id}/redrive");
    Answer::of(host.client.request(Method::POST, &path)).await
}

#[tokio::test]
async fn an_event_is_run_once_and_leaves_nothing_behind() {
    let host = Setup::new().start().await;
    let id = host.client.send(json!({"do": "echo"})).await;
    let status = host
        .client
        .until(|status| status["counts"]["invocations"] == 1)
        .await;
    assert_eq!(status["recent"][0]["request_id"], *id);
    assert_eq!(status["recent"][0]["outcome"], "success");
    assert_eq!(status["recent"][0]["cold"], true);
    eventually(
        async || Ok::<_, ()>(queued_files(&host)),
        |files| *files == 0,
    )
    .await;
    assert_eq!(host.client.dead_letters().await, Vec::<Value>::new());
    host.stop().await;
}

#[tokio::test]
async fn a_failing_event_is_retried_twice_and_then_a_dead_letter_with_its_reason() {
    let host = Setup::new().start().await;
    // More digits than a float holds: the payload is kept verbatim.
    let payload = r#"{"do":"error","message":"bad row","amount":0.10000000000000000555}"#;
    let request = host.client.invocation(&json!(0)).body(payload);
    let answer = Answer::of(request.header("x-amz-invocation-type", "Event")).await;
    let id = answer.header("x-amzn-requestid").unwrap();
    let status = host
        .client
        .until(|status| status["counts"]["dead_letters"] == 1)
        .await;
    assert_eq!(status["counts"]["invocations"], 3);
    assert_eq!(status["dead_letters"], 1);
    let letter = &host.client.dead_letters().await[0];
    for (name, value) in [
        ("request_id", json!(id)),
        ("reason", json!("RetriesExhausted")),
        ("error_code", json!(200)),
        ("error_message", json!("bad row")),
        ("attempts", json!(3)),
    ] {
        assert_eq!(letter[name], value, "{name}");
    }
    let file = host.state().join(format!("dead-letters/{id}.json"));
    assert!(fs::read_to_string(file).unwrap().contains(payload));
    assert_eq!(queued_files(&host), 0);
    host.stop().await;
}

#[tokio::test]
async fn a_retry_waits_for_its_delay() {
    let host = Setup::new()
        .with(|config| config.asynchronous.retry_delays_seconds = vec![1, 0])
        .start()
        .await;
    let begun = Instant::now();
    host.client.send(json!({"do": "error"})).await;
    host.client
        .until(|status| status["dead_letters"] == 1)
        .await;
    assert!(begun.elapsed().as_millis() >= 1000, "{:?}", begun.elapsed());
    host.stop().await;
}

#[tokio::test]
async fn a_redriven_dead_letter_runs_again_from_its_first_attempt() {
    let setup = Setup::new();
    let cured = setup.path("cured");
    let host = setup.start().await;
    let id = host
        .client
        .send(json!({"do": "fail-until", "file": cured}))
        .await;
    host.client
        .until(|status| status["dead_letters"] == 1)
        .await;
    fs::write(&cured, "").unwrap();
    assert_eq!(redrive(&host, &id).await.status, StatusCode::ACCEPTED);
    let status = host
        .client
        .until(|status| status["counts"]["invocations"] == 4)
        .await;
    assert_eq!(status["recent"][0]["outcome"], "success");
    assert_eq!(host.client.dead_letters().await.len(), 0);
    assert_eq!(redrive(&host, &id).await.status, StatusCode::NOT_FOUND);
    assert_eq!(redrive(&host, "no-id").await.status, StatusCode::NOT_FOUND);
    host.stop().await;
}

#[tokio::test]
async fn the_queue_its_attempts_and_the_dead_letters_survive_a_restart() {
    let setup = Setup::new().with(|config| config.asynchronous.retry_delays_seconds = vec![0, 60]);
    let cured = setup.path("cured");
    let host = setup.start().await;
    let waiting = host
        .client
        .send(json!({"do": "fail-until", "file": cured}))
        .await;
    host.client
        .until(|status| status["counts"]["invocations"] == 2 && status["queued"] == 1)
        .await;

    // After the restart its third and last attempt is due at once.
    let host = host.restart().await;
    host.client
        .until(|status| status["dead_letters"] == 1)
        .await;
    assert_eq!(host.client.status().await["counts"]["invocations"], 1);
    assert_eq!(host.client.dead_letters().await[0]["attempts"], 3);

    let host = host.restart().await;
    assert_eq!(host.client.dead_letters().await[0]["request_id"], *waiting);
    host.stop().await;
}

#[tokio::test]
async fn an_event_that_a_shutdown_breaks_off_runs_again_and_counts_no_attempt() {
    let host = Setup::new()
        .with(|config| config.function.timeout_seconds = 60)
        .start()
        .await;
    host.client.send(json!({"do": "hang"})).await;
    host.client.until(|status| status["running"] == 1).await;
    let host = host.restart().await;
    host.client.until(|status| status["running"] == 1).await;
    let queue = fs::read_dir(host.state().join("queue")).unwrap();
    let file = queue.into_iter().next().unwrap().unwrap().path();
    let event: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(event["attempts"], 0);
    host.stop().await;
}

#[tokio::test]
async fn an_event_that_is_too_old_is_given_up_unrun() {
    let setup = Setup::new().with(|config| {
        config.function.concurrency = 1;
        config.asynchronous.max_age_seconds = 1;
    });
    let host = setup.start().await;
    host.client.send(json!({"do": "sleep", "ms": 1500})).await;
    host.client.until(|status| status["running"] == 1).await;
    let late = host.client.send(json!({"do": "echo"})).await;
    host.client
        .until(|status| status["dead_letters"] == 1)
        .await;
    let letter = &host.client.dead_letters().await[0];
    assert_eq!(letter["request_id"], *late);
    assert_eq!(letter["reason"], "EventAgeExceeded");
    assert_eq!(
        (&letter["attempts"], &letter["error_code"]),
        (&json!(0), &json!(429))
    );
    host.stop().await;
}

#[tokio::test]
async fn events_queue_within_the_concurrency_and_all_are_run() {
    let host = Setup::new().start().await;
    for _ in 0..10 {
        host.client.send(json!({"do": "sleep", "ms": 100})).await;
    }
    let mut most = 0;
    let done = loop {
        let status = host.client.status().await;
        most = most.max(status["environments"].as_array().unwrap().len());
        if status["counts"]["invocations"] == 10 {
            break status;
        }
    };
    assert_eq!(most, 2, "both places were used, and no more");
    assert_eq!(done["counts"]["cold_starts"], 2);
    assert_eq!(done["counts"]["errors"], 0);
    assert_eq!(done["counts"]["throttles"], 0);
    host.stop().await;
}

#[tokio::test]
async fn the_schedule_sends_eventbridges_event() {
    let host = Setup::new()
        .with(|config| {
            config.schedule = Some(every_second(None));
            config.asynchronous.max_retries = 0;
        })
        // Makes the event a dead letter, which the test can inspect.
        .variable("PROBE_INIT", "exit".as_ref())
        .start()
        .await;
    host.client
        .until(|status| status["dead_letters"] == 1)
        .await;
    let event = &host.client.dead_letters().await[0]["payload"];
    for (name, value) in [
        ("version", json!("0")),
        ("detail-type", json!("Scheduled Event")),
        ("source", json!("aws.events")),
        ("account", json!("000000000000")),
        ("region", json!("us-west-2")),
        ("detail", json!({})),
    ] {
        assert_eq!(event[name], value, "{name}");
    }
    let time = event["time"].as_str().unwrap();
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    host.stop().await;
}

#[tokio::test]
async fn a_tick_of_the_schedule_is_left_out_while_the_last_one_runs() {
    let host = Setup::new()
        .with(|config| config.schedule = Some(every_second(Some(json!({"do": "hang"})))))
        .start()
        .await;
    host.client.until(|status| status["running"] == 1).await;
    // Two more ticks pass before the timeout of 5 s, and a second concurrency slot is free.
    let begun = Instant::now();
    host.client
        .until(|status| {
            assert_eq!(
                (&status["running"], &status["queued"]),
                (&json!(1), &json!(0))
            );
            begun.elapsed().as_secs() >= 3
        })
        .await;
    host.stop().await;
}

fn every_second(payload: Option<Value>) -> ScheduleConfig {
    ScheduleConfig {
        every_seconds: 1,
        payload,
    }
}
