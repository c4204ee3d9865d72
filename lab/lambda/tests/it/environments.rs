//! Execution environments: reused, frozen, ended.

use serde_json::json;

use crate::support::{Setup, eventually, process_state, until_gone};

#[tokio::test]
async fn an_environment_is_reused_and_frozen_between_runs() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    for run in 2..5 {
        eventually(
            async || Ok::<_, ()>(process_state(pid)),
            |state| *state == Some('T'),
        )
        .await;
        assert_eq!(
            host.client.status().await["environments"][0]["state"],
            "frozen"
        );
        assert_eq!(host.client.pid().await, pid);
        let status = host.client.status().await;
        assert_eq!(status["environments"][0]["invocations"], run);
        assert_eq!(status["environments"][0]["pid"], pid);
    }
    assert_eq!(host.client.status().await["counts"]["cold_starts"], 1);
    host.stop().await;
}

#[tokio::test]
async fn the_most_recently_used_environment_is_used_first() {
    let host = Setup::new().start().await;
    let slow = json!({"do": "sleep", "ms": 300});
    let (first, second) = tokio::join!(host.client.invoke(slow.clone()), async {
        host.client.until(|status| status["running"] == 1).await;
        host.client.invoke(json!({"do": "sleep", "ms": 600})).await
    });
    let (first, second) = (first.json()["pid"].clone(), second.json()["pid"].clone());
    assert_ne!(first, second);
    for _ in 0..3 {
        assert_eq!(json!(host.client.pid().await), second);
    }
    host.stop().await;
}

#[tokio::test]
async fn an_environment_that_is_idle_too_long_is_ended() {
    let host = Setup::new()
        .with(|config| config.function.idle_seconds = 1)
        .start()
        .await;
    let pid = host.client.pid().await;
    until_gone(pid).await;
    host.client
        .until(|status| status["environments"] == json!([]))
        .await;
    assert_ne!(host.client.pid().await, pid);
    host.stop().await;
}
