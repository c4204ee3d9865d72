//! A function for the tests: does what the member `do` of its payload says.
//!
//! `PROBE_RECORD` names a file to which every payload is appended, one per line. The bodies of queue messages choose
//! their outcome: `fail` fails that message, `garble` garbles the report, `error` fails the batch, `hang` never
//! returns.
//!
//! `PROBE_INIT` makes the init fail: `exit` always, `hang-once:FILE` until FILE exists.

use std::env;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process;
use std::time::Duration;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Error> {
    initialise().await;
    lambda_runtime::run(service_fn(handle)).await
}

async fn initialise() {
    let fault = env::var("PROBE_INIT").unwrap_or_default();
    if fault == "exit" {
        process::exit(3);
    }
    if let Some(marker) = fault.strip_prefix("hang-once:")
        && !Path::new(marker).exists()
    {
        fs::write(marker, "").expect("the marker can be written");
        hang().await;
    }
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let LambdaEvent { payload, context } = event;
    record(&payload)?;
    if let Some(messages) = payload["Records"].as_array() {
        return take(messages).await;
    }
    match payload["do"].as_str().unwrap_or("echo") {
        "echo" => Ok(payload),
        "context" => Ok(json!({
            "request_id": context.request_id,
            "deadline_ms": context.deadline,
            "arn": context.invoked_function_arn,
            "trace_id": context.xray_trace_id,
            "pid": process::id(),
        })),
        "error" => Err(payload["message"].as_str().unwrap_or("no message").into()),
        "panic" => panic!("as it was told"),
        "exit" => process::exit(i32::try_from(payload["code"].as_i64().unwrap_or(1))?),
        "hang" => hang().await,
        "sleep" => {
            tokio::time::sleep(Duration::from_millis(payload["ms"].as_u64().unwrap_or(0))).await;
            Ok(json!({"pid": process::id()}))
        }
        "print" => {
            writeln!(
                io::stdout(),
                "{}",
                payload["text"].as_str().unwrap_or_default()
            )?;
            Ok(Value::Null)
        }
        "eat" => eat(),
        "large" => Ok("x".repeat(7 << 20).into()),
        "fail-until" => fail_until(payload["file"].as_str().unwrap_or_default()),
        other => Err(format!("unknown: {other}").into()),
    }
}

fn record(payload: &Value) -> io::Result<()> {
    let Ok(file) = env::var("PROBE_RECORD") else {
        return Ok(());
    };
    let mut file = File::options().append(true).create(true).open(file)?;
    writeln!(file, "{payload}")
}

async fn take(messages: &[Value]) -> Result<Value, Error> {
    let mut failures = Vec::new();
    for message in messages {
        let id = &message["messageId"];
        match message["body"].as_str().unwrap_or_default() {
            "fail" => failures.push(json!({"itemIdentifier": id})),
            "garble" => failures.push(json!({"itemIdentifier": "of-no-message"})),
            "error" => return Err("as it was told".into()),
            "hang" => hang().await,
            _ => {}
        }
    }
    Ok(json!({"batchItemFailures": failures}))
}

/// Fails until the file exists.
fn fail_until(file: &str) -> Result<Value, Error> {
    if Path::new(file).exists() {
        Ok(Value::Null)
    } else {
        Err("not yet".into())
    }
}

/// Allocates memory until it is killed.
fn eat() -> ! {
    let mut taken = Vec::new();
    loop {
        taken.push(vec![1_u8; 1 << 20]);
        std::thread::sleep(Duration::from_millis(1));
    }
}

async fn hang() -> ! {
    loop {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
}
