//! The program itself: exit codes, signals, and its processes after it was killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::{
    ACCESS_KEY_ID, Client, FUNCTION, Setup, TOKEN, process_state, read_log, until_gone,
};

fn command(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab-lambda"));
    command.arg("--config").arg(config).env_remove("RUST_LOG");
    command
}

/// Writes the configuration of `setup` to a file.
fn write(setup: &Setup, change: impl FnOnce(&mut Value)) -> std::path::PathBuf {
    let mut config = json!({
        "listen": "127.0.0.1:0",
        "state": setup.config.state,
        "region": "us-west-2",
        "account_id": "000000000000",
        "access_key_ids": [ACCESS_KEY_ID],
        "function": {
            "name": FUNCTION,
            "binary": setup.config.function.binary,
            "environment": {"DATABASE_URL": "mysql://ingest:not-to-be-shown@db/payments"},
            "timeout_seconds": 30,
            "memory_mb": 256,
            "concurrency": 4,
            "idle_seconds": 300,
        },
        "asynchronous": {"max_retries": 2, "retry_delays_seconds": [1, 2], "max_age_seconds": 21600},
        "schedule": {"every_seconds": 60, "payload": {"do": "echo"}},
    });
    change(&mut config);
    let path = setup.path("config.json");
    fs::write(&path, config.to_string()).unwrap();
    path
}

fn fails(setup: &Setup, change: impl FnOnce(&mut Value)) -> (i32, String) {
    let Output { status, stderr, .. } = command(&write(setup, change)).output().unwrap();
    (status.code().unwrap(), String::from_utf8(stderr).unwrap())
}

/// The running program. Dropping it stops it gracefully, because a kill would leave a process behind.
struct Program {
    child: Child,
    client: Client,
}

impl Program {
    /// Starts the program, and reads its address from its log.
    fn start(setup: &Setup) -> Self {
        let config = write(setup, |_| {});
        let child = command(&config).stdout(Stdio::piped()).spawn().unwrap();
        let mut program = Self {
            child,
            client: Client::new(""),
        };
        let mut lines = BufReader::new(program.child.stdout.take().unwrap()).lines();
        let addr = lines.find_map(|line| {
            // The function's own lines are interleaved with the host's.
            let line: Value = serde_json::from_str(&line.unwrap()).ok()?;
            line["addr"].as_str().map(ToOwned::to_owned)
        });
        program.client = Client::new(&addr.unwrap());
        std::thread::spawn(move || lines.count());
        program
    }

    fn signal(&self, signal: Signal) {
        kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        )
        .unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::SIGTERM);
            self.child.wait().ok();
        }
    }
}

#[test]
fn every_mistake_of_a_configuration_is_reported_at_once() {
    let (code, stderr) = fails(&Setup::new(), |config| {
        config["listen"] = json!("0.0.0.0:0");
        config["account_id"] = json!("12");
        config["access_key_ids"] = json!([]);
        config["function"]["binary"] = json!("/no/such/file");
        config["function"]["timeout_seconds"] = json!(901);
        config["function"]["environment"]["AWS_REGION"] = json!("eu-west-1");
        config["asynchronous"]["max_retries"] = json!(3);
        config["control_token"] = json!("");
        config["dead_letter_queue"] = json!({
            "queue_url": "http://127.0.0.1:1/dead", "endpoint": "http://sqs.example",
            "access_key_id": "", "secret_access_key": "",
        });
        config["event_source"] = config["dead_letter_queue"].clone();
        config["event_source"]["batch_size"] = json!(11);
    });
    assert_eq!(code, 64);
    for mistake in [
        "listen: must be a loopback address",
        "account_id: must be twelve digits",
        "access_key_ids: at least one",
        "function.binary: no file /no/such/file",
        "function.timeout_seconds: 901 is not within 1 to 900",
        "function.environment: AWS_REGION is reserved",
        "asynchronous.max_retries: 3 is not within 0 to 2",
        "control_token: must not be empty",
        "dead_letter_queue.queue_url: must be a URL such as http://127.0.0.1:9324/000000000000/events",
        "dead_letter_queue.endpoint: http:// and a loopback address",
        "dead_letter_queue.access_key_id and secret_access_key: must not be empty",
        "event_source.queue_url: must be a URL such as",
        "event_source.batch_size: 11 is not within 1 to 10",
    ] {
        assert!(stderr.contains(mistake), "{mistake} is not in {stderr}");
    }
}

#[test]
fn an_unknown_member_and_an_absent_file_are_mistakes_too() {
    let (code, stderr) = fails(&Setup::new(), |config| config["functoin"] = json!({}));
    assert_eq!(code, 64);
    assert!(stderr.contains("unknown field `functoin`"), "{stderr}");
    let absent = command("/no/such/config".as_ref()).output().unwrap();
    assert_eq!(absent.status.code(), Some(64));
    let none = Command::new(env!("CARGO_BIN_EXE_lab-lambda"))
        .output()
        .unwrap();
    assert_eq!(none.status.code(), Some(64));
}

#[test]
fn a_port_that_is_taken_ends_the_start_with_a_clear_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let (code, stderr) = fails(&Setup::new(), |config| config["listen"] = json!(addr));
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with(&format!("lab-lambda: cannot listen on {addr}")),
        "{stderr}"
    );
}

#[tokio::test]
async fn sigterm_ends_it_cleanly_and_its_processes_with_it() {
    let setup = Setup::new();
    let mut program = Program::start(&setup);
    let pid = program.client.pid().await;
    program.signal(Signal::SIGTERM);
    assert_eq!(program.child.wait().unwrap().code(), Some(0));
    assert_eq!(process_state(pid), None);
    let log = read_log(&setup.config.state);
    assert!(
        log.contains("REPORT RequestId: ") && !log.contains("not-to-be-shown"),
        "{log}"
    );
}

#[tokio::test]
async fn processes_of_a_killed_host_are_gone_once_the_next_one_serves() {
    let setup = Setup::new();
    let mut program = Program::start(&setup);
    let frozen = program.client.pid().await;
    let event = program.client.send(json!({"do": "hang"})).await;
    program
        .client
        .until(|status| status["environments"][0]["state"] == "running")
        .await;
    program.signal(Signal::SIGKILL);
    program.child.wait().unwrap();
    let next = Program::start(&setup);
    until_gone(frozen).await;
    // The next host continues its queue.
    let status = next.client.until(|status| status["running"] == 1).await;
    assert_eq!(status["queued"], 0, "{event}");
}

#[test]
fn secrets_do_not_show_themselves() {
    let setup = Setup::new().variable("DATABASE_URL", "not-to-be-shown".as_ref());
    let shown = format!("{:?}", setup.config);
    assert!(
        shown.contains("DATABASE_URL") && shown.contains("us-west-2"),
        "{shown}"
    );
    assert!(
        !shown.contains("not-to-be-shown")
            && !shown.contains(ACCESS_KEY_ID)
            && !shown.contains(TOKEN),
        "{shown}"
    );
}
