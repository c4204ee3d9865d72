//! Shutdown and kill of a host, and how the next one cleans up.

use std::fs;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command};

use lab_lambda::{Server, StateError};
use serde_json::json;

use crate::support::{Setup, process_state, until_gone};

#[tokio::test]
async fn nothing_runs_after_a_shutdown() {
    let host = Setup::new()
        .with(|config| config.function.timeout_seconds = 60)
        .start()
        .await;
    let frozen = host.client.pid().await;
    let client = host.client.clone();
    tokio::join!(
        host.client.invoke(json!({"do": "sleep", "ms": 200})),
        host.client.invoke(json!({"do": "sleep", "ms": 200})),
    );
    let hanging = tokio::spawn(async move { client.invoke(json!({"do": "hang"})).await });
    let status = host.client.until(|status| status["running"] == 1).await;
    let environments = status["environments"].as_array().unwrap().clone();
    assert_eq!(environments.len(), 2);
    assert!(
        environments
            .iter()
            .any(|environment| environment["pid"] == frozen)
    );
    let state = host.state();
    let client = host.client.clone();
    let remains = host.stop().await;
    for environment in environments {
        let pid = environment["pid"].as_i64().unwrap();
        assert_eq!(process_state(pid), None, "{environment}");
    }
    assert_eq!(hanging.await.unwrap().status, 503);
    assert!(client.is_refused().await);
    assert_eq!(fs::read_dir(state.join("processes")).unwrap().count(), 0);
    drop(remains.folder);
}

#[tokio::test]
async fn a_dropped_host_ends_its_processes_too() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    drop(host);
    until_gone(pid).await;
}

#[tokio::test]
async fn a_state_folder_serves_one_host_at_a_time() {
    let setup = Setup::new();
    let config = setup.config.clone();
    let host = setup.start().await;
    let error = Server::start(config).await.unwrap_err();
    assert!(error.is::<StateError>(), "{error}");
    host.stop().await;
}

#[tokio::test]
async fn a_process_left_by_a_killed_host_is_ended_but_not_another_with_its_pid() {
    let setup = Setup::new();
    let records = setup.path("state/processes");
    fs::create_dir_all(&records).unwrap();
    let (mut left, mut stranger) = (group_leader(), group_leader());
    record(&records, &left, 0);
    // The pid matches, but the start time shows that it is another process.
    record(&records, &stranger, 1);
    let host = setup.start().await;
    assert_eq!(left.wait().unwrap().signal(), Some(9));
    assert!(stranger.try_wait().unwrap().is_none());
    assert_eq!(fs::read_dir(&records).unwrap().count(), 0);
    host.stop().await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}

fn group_leader() -> Child {
    Command::new("sleep")
        .arg("600")
        .process_group(0)
        .spawn()
        .unwrap()
}

/// Writes a host's record of a process, with the start time off by `ticks`.
fn record(records: &Path, child: &Child, ticks: u64) {
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    let start_ticks: u64 = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(19)
        .unwrap()
        .parse()
        .unwrap();
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let identity = json!({
        "pid": child.id(),
        "start_ticks": start_ticks + ticks,
        "boot_id": boot_id.trim(),
    });
    fs::write(records.join(child.id().to_string()), identity.to_string()).unwrap();
}
