//! What the real program says of its clients, and what it never says.

use std::process::{Command, Output};

use clients::bearer::new_key;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;

use crate::callers::{ClientsFile, client};
use crate::log::{Program, silent};

fn start_with(file: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_web-tier"))
        .env_clear()
        .env("LISTEN_ADDR", "127.0.0.1:0")
        .env("APP_TIER_URL", "http://127.0.0.1:9")
        .env("CLIENTS_FILE", file)
        .output()
        .unwrap()
}

#[test]
fn p10_a_broken_file_at_the_start_is_exit_64_with_every_mistake() {
    let file = ClientsFile::new("[clients.A]\n[clients.b]\nrate = 0\n");
    let output = start_with(file.path.to_str().unwrap());
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr);
    for part in [
        "2 mistake(s)",
        "clients.toml: line 1: ",
        "clients.toml: line 3: ",
    ] {
        assert!(text.contains(part), "{text}");
    }
    let output = start_with("/nowhere/clients.toml");
    assert_eq!(output.status.code(), Some(64));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("/nowhere/clients.toml: it can't be read"),
        "{text}"
    );
}

#[tokio::test]
async fn p10_the_log_names_the_client_and_holds_no_key_or_signature() {
    let (key, wrong) = (new_key().unwrap(), new_key().unwrap());
    let file = ClientsFile::new(&client("shop", "", &key));
    let (_upstream, addr) = silent().await;
    let path = file.path.to_str().unwrap();
    let mut program = Program::with(addr, &[("CLIENTS_FILE", path), ("RUST_LOG", "trace")]).await;
    let mut clients = Vec::new();
    for credential in [
        format!("authorization: Bearer {wrong}"),
        format!("signature-input: sig=(\"{wrong}\");keyid=\"{wrong}\"\r\nsignature: sig=:{wrong}:"),
        format!("authorization: Bearer {key}\r\ncontent-type: text/plain"),
    ] {
        let head =
            format!("POST /pay HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{credential}\r\n\r\n");
        let mut stream = program.send(&head).await;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        // Also the lines before this one.
        let line = program.line_without(&[&key, &wrong]).await;
        assert!(
            !answer.contains(&key) && !answer.contains(&wrong),
            "{answer}"
        );
        let line: Value = serde_json::from_str(&line).unwrap();
        clients.push((
            line["status"].as_u64().unwrap(),
            line["client"].as_str().map(str::to_owned),
        ));
    }
    let shop = Some("shop".to_owned());
    let expected = [(401, None), (401, None), (415, shop)];
    assert_eq!(clients, expected);
}

#[tokio::test]
async fn p10_a_hangup_reads_the_file_again_and_ends_nothing() {
    let file = ClientsFile::new(&client("shop", "", &new_key().unwrap()));
    let (_upstream, addr) = silent().await;
    let path = file.path.to_str().unwrap();
    for (variables, said) in [
        (&[("CLIENTS_FILE", path)][..], "was read again"),
        (&[], "\"route\":\"/docs\""),
    ] {
        let mut program = Program::with(addr, variables).await;
        let pid = Pid::from_raw(program.id().try_into().unwrap());
        kill(pid, Signal::SIGHUP).unwrap();
        let _answer = program.send("GET /docs HTTP/1.1\r\nhost: x\r\n\r\n").await;
        program.line_with(said).await;
    }
}
