//! The program itself: exit codes, signals, and what remains after a kill.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{ACCESS_KEY_ID, PLAIN, TOKEN, client, config, parse};

fn write(root: &TempDir, config: &Value) -> PathBuf {
    let file = root.path().join("config.json");
    std::fs::write(&file, config.to_string()).unwrap();
    file
}

fn command(config: PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-sqs"));
    command.arg("--config").arg(config).env_remove("RUST_LOG");
    command
}

/// Starts the program, and reads its address from its log.
fn start(root: &TempDir) -> (Child, String) {
    let mut child = command(write(root, &config(root)))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    let addr = line["addr"].as_str().unwrap().to_owned();
    std::thread::spawn(move || lines.count());
    (child, format!("http://{addr}"))
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, signal).unwrap();
}

#[tokio::test]
async fn what_was_answered_survives_a_kill_and_sigterm_ends_it_cleanly() {
    let root = TempDir::new().unwrap();
    let (mut child, endpoint) = start(&root);
    let url = format!("{endpoint}/000000000000/{PLAIN}");
    let sqs = client(&endpoint, ACCESS_KEY_ID);
    for n in 0..5 {
        let request = sqs.send_message().queue_url(&url);
        request.message_body(n.to_string()).send().await.unwrap();
    }
    signal(&child, Signal::SIGKILL);
    child.wait().unwrap();

    let (mut child, endpoint) = start(&root);
    let health = reqwest::get(format!("{endpoint}/_lab/health")).await;
    assert_eq!(health.unwrap().status(), 200);
    let request = client(&endpoint, ACCESS_KEY_ID).receive_message();
    let request = request.queue_url(&url).max_number_of_messages(10);
    let received = request.send().await.unwrap();
    assert_eq!(received.messages().len(), 5);
    signal(&child, Signal::SIGTERM);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn every_mistake_of_a_configuration_is_reported_at_once() {
    let root = TempDir::new().unwrap();
    let mut wrong = config(&root);
    wrong["listen"] = json!("0.0.0.0:0");
    wrong["account_id"] = json!("12");
    wrong["access_key_ids"] = json!(["short"]);
    wrong["queues"] = json!([
        { "name": "a.fifo", "visibility_timeout_seconds": 43_201 },
        { "name": "b", "redrive": { "dead_letter_queue": "absent", "max_receive_count": 0 } },
        { "name": "b" },
    ]);
    let output = command(write(&root, &wrong)).output().unwrap();
    assert_eq!(output.status.code(), Some(64));
    let stderr = String::from_utf8(output.stderr).unwrap();
    for mistake in [
        "listen: must be a loopback address",
        "account_id: must be twelve digits",
        "access_key_ids: at least one",
        "queues: \"a.fifo\" is not a queue name",
        "queues: a.fifo: visibility_timeout_seconds: 43201 is not within 0 to 43200",
        "queues: b: redrive.dead_letter_queue: must be another queue",
        "queues: b: redrive.max_receive_count: 0 is not within 1 to 1000",
        "queues: \"b\" appears twice",
    ] {
        assert!(stderr.contains(mistake), "{mistake} is not in {stderr}");
    }
}

#[test]
fn secrets_do_not_show_themselves() {
    let root = TempDir::new().unwrap();
    let shown = format!("{:?}", parse(&config(&root)));
    assert!(shown.contains("us-west-2"), "{shown}");
    assert!(
        !shown.contains(ACCESS_KEY_ID) && !shown.contains(TOKEN),
        "{shown}"
    );
}
