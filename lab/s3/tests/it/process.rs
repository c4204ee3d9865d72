//! The server as a process: start, shutdown, and what remains after a kill.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::support::{
    FUNCTION, QUEUE, Requests, Role, client, config, eventually, get, keys, parse, raw,
};

fn write(root: &Path, config: &Value) -> PathBuf {
    let file = root.join("lab-s3.json");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-s3"));
    command.arg("--config").arg(config).kill_on_drop(true);
    command
}

async fn run(config: &Path) -> Output {
    tokio::time::timeout(Duration::from_secs(20), command(config).output())
        .await
        .unwrap()
        .unwrap()
}

/// Starts a server on an address that was free a moment ago.
async fn spawn(root: &Path, mut config: Value) -> (Child, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    config["listen"] = json!(address);
    let child = command(&write(root, &config))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually(
        async || match tokio::net::TcpStream::connect(address).await {
            Ok(_) => Ok(()),
            Err(error) => Err(error.to_string()),
        },
    )
    .await;
    let health = raw::send(address, "GET /_lab/health HTTP/1.1").await;
    assert!(health.ends_with("OK"), "{health}");
    (child, format!("http://{address}"))
}

fn signal(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id().unwrap()).unwrap();
    kill(Pid::from_raw(pid), signal).unwrap();
}

#[tokio::test]
async fn every_mistake_of_a_configuration_is_reported_at_once() {
    let root = TempDir::new().unwrap();
    let mut wrong = config(root.path());
    wrong["account_id"] = json!("42");
    wrong["buckets"][0]["name"] = json!("No Bucket");
    wrong["buckets"][0]["policy"] = json!("/absent/policy.json");
    wrong["buckets"][0]["notifications"] = json!([
        { "id": "n", "events": ["s3:ObjectRemoved:*"], "function_arn": "arn:aws:sqs:x" },
        { "id": "both", "events": ["s3:ObjectCreated:*"], "function_arn": FUNCTION, "queue_arn": QUEUE },
        { "id": "neither", "events": ["s3:ObjectCreated:*"] },
        { "id": "fifo", "events": ["s3:ObjectCreated:*"], "queue_arn": format!("{QUEUE}.fifo") },
    ]);
    wrong["control_token"] = json!("");
    wrong["lambda_endpoint"] = json!("https://127.0.0.1:1");
    wrong["lambda_credentials"] = json!({ "access_key_id": "a", "secret_access_key": "hush" });
    wrong["identities"][1]["access_key_id"] = wrong["identities"][0]["access_key_id"].clone();
    let output = run(&write(root.path(), &wrong)).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    for mistake in [
        "account_id",
        "\"No Bucket\"",
        "/absent/policy.json",
        "s3:ObjectRemoved:*",
        "\"arn:aws:sqs:x\"",
        "lambda_endpoint",
        "notifications to sqs need sqs_endpoint and sqs_credentials",
        "notification \"both\": set either function_arn or queue_arn",
        "notification \"neither\": set either function_arn or queue_arn",
        "payments.fifo\" is not the ARN of a standard queue",
        "control_token is empty",
        "\"LABOPERATOR\" appears twice",
    ] {
        assert!(
            stderr.contains(mistake),
            "{mistake} is missing in: {stderr}"
        );
    }
}

#[tokio::test]
async fn a_policy_that_cannot_be_evaluated_stops_the_start() {
    let root = TempDir::new().unwrap();
    let policy = root.path().join("policy.json");
    let json = r#"{"Version":"2012-10-17","Statement":{"Sid":"Net","Effect":"Deny","Action":"s3:*","Resource":"*",
        "Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/16"}}}}"#;
    std::fs::write(&policy, json).unwrap();
    let mut config = config(root.path());
    config["identities"][1]["policies"] = json!([policy]);
    let output = run(&write(root.path(), &config)).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{stderr}");
    assert!(
        stderr.contains("statement Net") && stderr.contains("NotIpAddress"),
        "{stderr}"
    );
}

#[tokio::test]
async fn unknown_members_and_absent_files_are_mistakes_too() {
    let root = TempDir::new().unwrap();
    let mut config = config(root.path());
    config["bukets"] = json!([]);
    for file in [write(root.path(), &config), root.path().join("absent.json")] {
        let output = run(&file).await;
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[tokio::test]
async fn an_address_in_use_is_a_failure_with_a_clear_line() {
    let root = TempDir::new().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = config(root.path());
    config["listen"] = json!(taken.local_addr().unwrap());
    let output = run(&write(root.path(), &config)).await;
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("cannot listen on 127.0.0.1:"), "{stderr}");
}

#[tokio::test]
async fn sigterm_ends_the_server_cleanly() {
    let root = TempDir::new().unwrap();
    let (mut child, _) = spawn(root.path(), config(root.path())).await;
    signal(&child, Signal::SIGTERM);
    let status = tokio::time::timeout(Duration::from_secs(20), child.wait())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(status.code(), Some(0));
}

#[tokio::test]
async fn p1_a_kill_leaves_whole_objects_and_every_confirmed_one() {
    let root = TempDir::new().unwrap();
    let (mut child, endpoint) = spawn(root.path(), config(root.path())).await;
    let (id, secret) = Role::Operator.key_pair();
    let writers = (0..8_u8).map(|writer| {
        let client = client(&endpoint, id, secret);
        tokio::spawn(async move {
            let mut confirmed = Vec::new();
            for n in 0.. {
                let key = format!("transactions/{writer}/{n}");
                let body = vec![writer; 100_000];
                let put = client.put_key(&key).body(body.into());
                match tokio::time::timeout(Duration::from_secs(5), put.send()).await {
                    Ok(Ok(_)) => confirmed.push(key),
                    _ => break,
                }
            }
            confirmed
        })
    });
    let writers: Vec<_> = writers.collect();
    eventually(async || {
        let listed = keys(&client(&endpoint, id, secret)).await.len();
        if listed >= 100 { Ok(()) } else { Err(listed) }
    })
    .await;
    child.kill().await.unwrap();
    let mut confirmed = Vec::new();
    for writer in writers {
        confirmed.extend(writer.await.unwrap());
    }
    assert!(confirmed.len() >= 90, "{}", confirmed.len());

    let (mut child, endpoint) = spawn(root.path(), config(root.path())).await;
    let client = client(&endpoint, id, secret);
    let stored = keys(&client).await;
    for key in &confirmed {
        assert!(stored.contains(key), "{key} was confirmed");
    }
    for key in &stored {
        let writer: u8 = key.split('/').nth(1).unwrap().parse().unwrap();
        assert!(
            get(&client, key).await == vec![writer; 100_000],
            "{key} is not whole"
        );
    }
    signal(&child, Signal::SIGTERM);
    child.wait().await.unwrap();
}

#[test]
fn secrets_do_not_print_themselves() {
    let mut config = config(Path::new("/tmp"));
    config["lambda_credentials"] =
        json!({ "access_key_id": "a", "secret_access_key": "hush-secret" });
    config["sqs_credentials"] = config["lambda_credentials"].clone();
    let shown = format!("{:?}", parse(&config));
    assert!(shown.contains("LABOPERATOR"));
    assert!(!shown.contains("-secret\""), "{shown}");
}
