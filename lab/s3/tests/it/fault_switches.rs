//! The HTTP interface of fault injection.

use reqwest::Method;
use serde_json::json;

use crate::support::faults::TOKEN;
use crate::support::{Lab, config, raw};

#[tokio::test]
async fn every_fault_is_listed_with_what_it_does() {
    let lab = Lab::start().await;
    let list = lab.ask_faults(Method::GET, "", Some(TOKEN), String::new());
    let (status, list) = list.await;
    assert_eq!(status, 200);
    let listed = list["faults"].as_array().unwrap();
    let names: Vec<_> = listed
        .iter()
        .map(|fault| fault["kind"].as_str().unwrap())
        .collect();
    let expected = [
        "latency",
        "hang",
        "slow-down",
        "access-denied",
        "expired-token",
        "conflict",
        "bad-digest",
        "error-after-store",
        "answer-lost",
        "corrupt-get",
        "truncated-get",
        "not-yet-readable",
        "forget",
        "event-duplicate",
        "event-delay",
        "event-reorder",
        "event-drop",
    ];
    assert_eq!(names, expected);
    assert!(listed.iter().all(|fault| fault["setting"].is_null()));
    lab.end().await;
}

#[tokio::test]
async fn nobody_switches_a_fault_without_the_token() {
    let lab = Lab::start().await;
    for token in [None, Some("operator-secret"), Some("")] {
        for (method, rest) in [
            (Method::GET, ""),
            (Method::PUT, "/hang"),
            (Method::DELETE, ""),
        ] {
            let (status, _) = lab.ask_faults(method, rest, token, "{}".to_owned()).await;
            assert_eq!(status, 403, "{token:?}");
        }
    }
    assert_eq!(lab.injected("hang").await, 0);
    lab.end().await;
}

#[tokio::test]
async fn without_a_token_in_the_configuration_no_fault_is_switched() {
    let root = tempfile::TempDir::new().unwrap();
    let mut config = config(root.path());
    config.as_object_mut().unwrap().remove("control_token");
    let lab = Lab::start_with(root, config).await;
    for token in [None, Some(TOKEN), Some("")] {
        let asked = lab.ask_faults(Method::PUT, "/hang", token, "{}".to_owned());
        assert_eq!(asked.await.0, 403, "{token:?}");
    }
    lab.end().await;
}

#[tokio::test]
async fn what_is_no_fault_is_refused() {
    let lab = Lab::start().await;
    let put = |rest, body| lab.ask_faults(Method::PUT, rest, Some(TOKEN), body);
    assert_eq!(put("/none", "{}".to_owned()).await.0, 404);
    assert_eq!(put("x", "{}".to_owned()).await.0, 404);
    assert_eq!(put("/hang", json!({ "rat": 1 }).to_string()).await.0, 400);
    let head = "PUT /_lab/faults/hang HTTP/1.1\nContent-Length: 5000";
    let long = raw::send(
        lab.address(),
        &format!("{head}\nAuthorization: Bearer {TOKEN}"),
    )
    .await;
    assert!(long.starts_with("HTTP/1.1 400 "), "{long}");
    lab.end().await;
}
