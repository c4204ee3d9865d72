//! The access log of the real program.

use std::process::Stdio;
use std::time::Duration;

use payment_core::CLIENT_HEADER;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(30);

/// The next line for which there is something.
async fn find<T>(
    log: &mut Lines<BufReader<ChildStdout>>,
    mut look: impl FnMut(&Value) -> Option<T>,
) -> T {
    loop {
        let line = timeout(LONG, log.next_line()).await.expect("no line");
        let line: Value = serde_json::from_str(&line.unwrap().unwrap()).unwrap();
        if let Some(found) = look(&line) {
            return found;
        }
    }
}

#[tokio::test]
async fn p10_the_access_log_names_the_client_also_of_what_is_refused() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_app-tier"))
        .env_clear()
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("ADMIN_LISTEN_ADDR", "127.0.0.1:0")
        .env("LOG_BUCKET", "log")
        .env("AWS_REGION", "us-west-2")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut log = BufReader::new(child.stdout.take().unwrap()).lines();
    let addr = find(&mut log, |line| line["addr"].as_str().map(str::to_owned)).await;
    for client in [None, Some("shop")] {
        let url = format!("http://{addr}/process");
        let request = reqwest::Client::new().post(url).body("{");
        let request = request.header("content-type", "application/json");
        let request = match client {
            Some(client) => request.header(CLIENT_HEADER, client),
            None => request,
        };
        assert_eq!(request.send().await.unwrap().status().as_u16(), 400);
        let is_access = |line: &Value| (line["target"] == "access").then(|| line.clone());
        let line = find(&mut log, is_access).await;
        assert_eq!(line.get("client").and_then(Value::as_str), client, "{line}");
    }
}
