//! Faults of event delivery to a function.

use std::collections::HashSet;

use serde_json::json;
use tempfile::TempDir;

use crate::support::receiver::{Receiver, key_of, notifying_config};
use crate::support::{Lab, put};

async fn start(function: &Receiver) -> Lab {
    let root = TempDir::new().unwrap();
    let config = notifying_config(root.path(), function.address);
    Lab::start_with(root, config).await
}

/// Keys of the delivered events, in order of arrival.
fn told(function: &Receiver) -> Vec<String> {
    let calls = function.calls();
    calls.iter().map(|call| key_of(&call.event)).collect()
}

async fn put_many(lab: &Lab, count: usize) -> Vec<String> {
    let keys: Vec<_> = (0..count).map(|n| format!("transactions/{n:02}")).collect();
    for key in &keys {
        put(&lab.operator(), key, "x").await;
    }
    keys
}

#[tokio::test]
async fn a_duplicated_event_comes_two_to_five_times() {
    let function = Receiver::function().await;
    let lab = start(&function).await;
    lab.fault("event-duplicate", json!({})).await;
    let keys = put_many(&lab, 20).await;
    lab.wait_for_empty_spool().await;
    let told = told(&function);
    for key in &keys {
        let times = told.iter().filter(|told| *told == key).count();
        assert!((2..=5).contains(&times), "{key} came {times} times");
    }
    assert_eq!(lab.injected("event-duplicate").await, 20);
    lab.end().await;
    function.end();
}

#[tokio::test]
async fn p2_a_delayed_event_holds_up_no_other_and_survives_a_restart() {
    let function = Receiver::function().await;
    let lab = start(&function).await;
    let setting = json!({ "ms": 3_600_000, "count": 20 });
    lab.fault("event-delay", setting).await;
    let delayed = put_many(&lab, 20).await;
    lab.wait_for_injected("event-delay", 20).await;
    put(&lab.operator(), "transactions/prompt", "x").await;
    function.wait_for(1).await;
    assert_eq!(told(&function), ["transactions/prompt"]);

    let lab = lab.restart().await;
    lab.wait_for_empty_spool().await;
    let told: HashSet<_> = told(&function).into_iter().collect();
    assert!(delayed.iter().all(|key| told.contains(key)), "{told:?}");
    lab.end().await;
    function.end();
}

#[tokio::test]
async fn reordered_events_come_each_once_in_another_order() {
    let function = Receiver::function().await;
    let lab = start(&function).await;
    lab.fault("event-reorder", json!({ "ms": 500 })).await;
    let keys = put_many(&lab, 30).await;
    lab.wait_for_empty_spool().await;
    let mut told = told(&function);
    assert!(!told.is_sorted(), "{told:?}");
    told.sort_unstable();
    assert_eq!(told, keys);
    lab.end().await;
    function.end();
}

#[tokio::test]
async fn a_dropped_event_never_comes() {
    let function = Receiver::function().await;
    let lab = start(&function).await;
    lab.fault("event-drop", json!({ "count": 1 })).await;
    let keys = put_many(&lab, 3).await;
    lab.wait_for_empty_spool().await;
    let lab = lab.restart().await;
    lab.wait_for_empty_spool().await;
    let mut told = told(&function);
    told.sort_unstable();
    assert_eq!(told, keys[1..]);
    lab.end().await;
    function.end();
}
