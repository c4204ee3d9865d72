//! A function for the tests: does what its payload says in `do`.
//!
//! `PROBE_INIT` makes the init go wrong: `exit` always, `hang-once:FILE` the first time, until FILE exists.

use std::env;
use std::fs;
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
        "large" => Ok("x".repeat(7 << 20).into()),
        "fail-until" => fail_until(payload["file"].as_str().unwrap_or_default()),
        other => Err(format!("unknown: {other}").into()),
    }
}

/// Fails until the file exists.
fn fail_until(file: &str) -> Result<Value, Error> {
    if Path::new(file).exists() {
        Ok(Value::Null)
    } else {
        Err("not yet".into())
    }
}

async fn hang() -> ! {
    loop {
        tokio::time::sleep(Duration::from_hours(1)).await;
    }
}
