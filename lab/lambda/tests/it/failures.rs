//! Failed invocations, and what their callers are told.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Answer, Host, Setup, process_state, until_gone};

/// Invokes, and returns the error's type and message. Every failure is a 200 with a header.
async fn fail(host: &Host, payload: Value) -> (String, String, Answer) {
    let answer = host.client.invoke(payload).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    (text("errorType"), text("errorMessage"), answer)
}

#[tokio::test]
async fn an_error_and_a_panic_are_the_functions_own_words_and_its_process_goes_on() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    let (_, message, _) = fail(&host, json!({"do": "error", "message": "no such row"})).await;
    assert_eq!(message, "no such row");
    let (_, message, _) = fail(&host, json!({"do": "panic"})).await;
    assert_eq!(message, "Lambda panicked: as it was told");
    assert_eq!(host.client.pid().await, pid);
    let counts = &host.client.status().await["counts"];
    assert_eq!(
        (&counts["errors"], &counts["cold_starts"]),
        (&json!(2), &json!(1))
    );
    host.stop().await;
}

#[tokio::test]
async fn a_function_that_takes_more_memory_than_it_has_is_killed() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    let (error_type, message, answer) = fail(&host, json!({"do": "eat"})).await;
    let id = answer.header("x-amzn-requestid").unwrap();
    assert_eq!(error_type, "Runtime.ExitError");
    assert_eq!(
        message,
        format!("RequestId: {id} Error: Runtime exited with error: signal: killed")
    );
    assert_eq!(process_state(pid), None);
    assert_ne!(
        host.client.pid().await,
        pid,
        "the next run has a new process"
    );
    let log = host.stop().await.log;
    let report = log
        .lines()
        .find(|line| line.starts_with(&format!("REPORT RequestId: {id}")));
    let report = report.unwrap();
    assert!(
        report.contains("Memory Size: 128 MB\tMax Memory Used: 128 MB\t"),
        "{report}"
    );
    assert!(
        report.ends_with("Error Type: Runtime.ExitError"),
        "{report}"
    );
}

#[tokio::test]
async fn a_function_that_hangs_is_killed_at_its_deadline() {
    let host = Setup::new()
        .with(|config| config.function.timeout_seconds = 1)
        .start()
        .await;
    let pid = host.client.pid().await;
    let (error_type, message, answer) = fail(&host, json!({"do": "hang"})).await;
    let id = answer.header("x-amzn-requestid").unwrap();
    assert_eq!(error_type, "Sandbox.Timedout");
    assert_eq!(
        message,
        format!("RequestId: {id} Error: Task timed out after 1.00 seconds")
    );
    assert_eq!(process_state(pid), None, "killed before the answer");
    assert_eq!(host.client.status().await["counts"]["timeouts"], 1);
    assert_ne!(host.client.pid().await, pid);
    let log = host.stop().await.log;
    assert!(
        log.contains(&format!("{id} Task timed out after 1.00 seconds\n")),
        "{log}"
    );
    let report =
        format!("REPORT RequestId: {id}\tDuration: 1000.00 ms\tBilled Duration: 1000 ms\t");
    let line = log.lines().find(|line| line.starts_with(&report));
    assert!(
        line.is_some_and(|line| line.ends_with("Status: timeout")),
        "{log}"
    );
}

#[tokio::test]
async fn a_process_that_exits_in_mid_run_fails_its_invocation_alone() {
    let host = Setup::new().start().await;
    for (code, reason) in [
        (7, "Runtime exited with error: exit status 7"),
        (0, "Runtime exited without providing a reason"),
    ] {
        let (error_type, message, answer) = fail(&host, json!({"do": "exit", "code": code})).await;
        let id = answer.header("x-amzn-requestid").unwrap();
        assert_eq!(error_type, "Runtime.ExitError");
        assert_eq!(message, format!("RequestId: {id} Error: {reason}"));
        assert_eq!(host.client.invoke(json!({})).await.json(), json!({}));
    }
    let log = host.stop().await.log;
    assert!(
        log.contains("Status: error\tError Type: Runtime.ExitError"),
        "{log}"
    );
}

#[tokio::test]
async fn a_process_killed_from_outside_fails_its_invocation() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    let client = host.client.clone();
    let hanging = tokio::spawn(async move { client.invoke(json!({"do": "hang"})).await });
    host.client
        .until(|status| status["environments"][0]["state"] == "running")
        .await;
    kill(pid);
    let message = hanging.await.unwrap().json()["errorMessage"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.ends_with("Runtime exited with error: signal: SIGKILL"),
        "{message}"
    );
    host.stop().await;
}

#[tokio::test]
async fn a_process_killed_while_frozen_costs_no_invocation() {
    let host = Setup::new().start().await;
    let pid = host.client.pid().await;
    kill(pid);
    until_gone(pid).await;
    assert_ne!(host.client.pid().await, pid);
    assert_eq!(host.client.status().await["counts"]["errors"], 0);
    host.stop().await;
}

#[tokio::test]
async fn a_response_that_is_too_large_is_an_error() {
    let host = Setup::new().start().await;
    let (error_type, ..) = fail(&host, json!({"do": "large"})).await;
    assert_eq!(error_type, "Function.ResponseSizeTooLarge");
    assert_eq!(host.client.invoke(json!({})).await.json(), json!({}));
    host.stop().await;
}

#[tokio::test]
async fn an_init_that_fails_is_done_again_in_the_invocation_and_then_fails_it() {
    let host = Setup::new()
        .variable("PROBE_INIT", "exit".as_ref())
        .start()
        .await;
    let (error_type, message, _) = fail(&host, json!({})).await;
    assert_eq!(error_type, "Runtime.ExitError");
    assert!(
        message.ends_with("Runtime exited with error: exit status 3"),
        "{message}"
    );
    assert_eq!(host.client.status().await["counts"]["cold_starts"], 2);
    let log = host.stop().await.log;
    assert!(log.contains("Phase: init\tStatus: error"), "{log}");
}

#[tokio::test]
async fn an_init_slower_than_ten_seconds_is_done_again_in_the_invocation() {
    let setup = Setup::new();
    let fault = format!("hang-once:{}", setup.path("marker").display());
    let host = setup.variable("PROBE_INIT", fault.as_ref()).start().await;
    assert_eq!(
        host.client.invoke(json!({"n": 1})).await.json(),
        json!({"n": 1})
    );
    let log = host.stop().await.log;
    assert!(log.contains("Phase: init\tStatus: timeout"), "{log}");
}

#[tokio::test]
async fn a_binary_that_does_not_start_is_an_error_of_the_function() {
    let setup = Setup::new();
    let binary = setup.path("not-executable");
    std::fs::write(&binary, "").unwrap();
    let host = setup
        .with(|config| config.function.binary = binary)
        .start()
        .await;
    let (error_type, message, _) = fail(&host, json!({})).await;
    assert_eq!(error_type, "Runtime.InvalidEntrypoint");
    assert!(
        message.contains("not-executable: Permission denied"),
        "{message}"
    );
    host.stop().await;
}

fn kill(pid: i64) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
