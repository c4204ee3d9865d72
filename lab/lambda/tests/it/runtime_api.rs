//! The Runtime API as a function sees it. The test plays the function: the process only writes down its environment
//! variables and waits.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{Answer, Client, FUNCTION, Host, Setup, eventually};

/// A host whose function is the test, and an invocation that waits for it.
struct Function {
    host: Host,
    variables: BTreeMap<String, String>,
    api: Client,
    invocation: JoinHandle<Answer>,
}

impl Function {
    async fn invoked() -> Self {
        let setup = Setup::new().with(|config| config.function.timeout_seconds = 30);
        let (binary, written) = (setup.path("function"), setup.path("environment"));
        let script =
            "#!/bin/sh\nenv > \"$WRITTEN.tmp\"; mv \"$WRITTEN.tmp\" \"$WRITTEN\"; exec sleep 600\n";
        fs::write(&binary, script).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o700)).unwrap();
        let setup = setup.with(|config| config.function.binary = binary);
        let host = setup.variable("WRITTEN", &written).start().await;
        let client = host.client.clone();
        let invocation = tokio::spawn(async move { client.invoke(json!({"n": 1})).await });
        let variables = eventually(async || read(&written), |_| true).await;
        let api = Client::new(&variables["AWS_LAMBDA_RUNTIME_API"]);
        Self {
            host,
            variables,
            api,
            invocation,
        }
    }

    async fn next(&self) -> Answer {
        self.call(Method::GET, "invocation/next", "").await
    }

    async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let answer = self.call(Method::POST, path, body).await;
        (answer.status, answer.json())
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> Answer {
        let path = format!("/2018-06-01/runtime/{path}");
        Answer::of(self.api.anonymous(method, &path).body(body.to_owned())).await
    }
}

fn read(written: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let text = fs::read_to_string(written)?;
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    Ok(pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect())
}

#[tokio::test]
async fn the_process_gets_lambdas_variables_and_of_the_hosts_only_the_path() {
    let function = Function::invoked().await;
    let variables = &function.variables;
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", FUNCTION),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/Probe"),
        ("AWS_REGION", "us-west-2"),
        ("TZ", ":UTC"),
    ] {
        assert_eq!(variables[name], value, "{name}");
    }
    assert!(variables["AWS_LAMBDA_LOG_STREAM_NAME"].contains("/[$LATEST]"));
    assert!(
        Path::new(&variables["LAMBDA_TASK_ROOT"])
            .join("function")
            .is_file()
    );
    // The shell adds PWD and so on; nothing of the test's own environment is there.
    assert!(!variables.contains_key("HOME") && !variables.contains_key("CARGO_MANIFEST_DIR"));
    function.host.stop().await;
}

#[tokio::test]
async fn a_poll_gets_the_event_again_until_it_is_answered() {
    let function = Function::invoked().await;
    let first = function.next().await;
    assert_eq!(first.json(), json!({"n": 1}));
    assert_eq!(first.header("content-type"), Some("application/json"));
    let again = function.next().await;
    let id = first.header("lambda-runtime-aws-request-id").unwrap();
    assert_eq!(again.header("lambda-runtime-aws-request-id"), Some(id));
    let answered = function
        .post(&format!("invocation/{id}/response"), r#""done""#)
        .await;
    assert_eq!(answered, (StatusCode::ACCEPTED, json!({"status": "OK"})));
    // The caller's answer arrives when the function polls again; that poll is held open.
    let Function {
        host,
        api,
        invocation,
        ..
    } = function;
    let poll = api
        .anonymous(Method::GET, "/2018-06-01/runtime/invocation/next")
        .send();
    tokio::select! {
        answer = invocation => assert_eq!(answer.unwrap().json(), json!("done")),
        next = poll => panic!("there is no more work: {next:?}"),
    }
    host.stop().await;
}

#[tokio::test]
async fn answers_to_the_wrong_request_or_at_the_wrong_time_are_refused() {
    let function = Function::invoked().await;
    let refused = async |path: &str, status: StatusCode, error_type: &str| {
        let (got, body) = function.post(path, "{}").await;
        assert_eq!(
            (got, body["errorType"].as_str()),
            (status, Some(error_type)),
            "{path}"
        );
    };
    let other = "00000000-0000-0000-0000-000000000000";
    let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
    // Before the first poll there is nothing to answer.
    refused(
        &format!("invocation/{other}/response"),
        bad,
        "InvalidRequestID",
    )
    .await;
    let next = function.next().await;
    let id = next.header("lambda-runtime-aws-request-id").unwrap();
    refused(
        &format!("invocation/{other}/response"),
        bad,
        "InvalidRequestID",
    )
    .await;
    refused(
        &format!("invocation/{other}/error"),
        bad,
        "InvalidRequestID",
    )
    .await;
    refused("init/error", forbidden, "InvalidStateTransition").await;
    let error = r#"{"errorType":"Mine","errorMessage":"first"}"#;
    assert_eq!(
        function
            .post(&format!("invocation/{id}/error"), error)
            .await
            .0,
        StatusCode::ACCEPTED
    );
    refused(
        &format!("invocation/{id}/response"),
        forbidden,
        "InvalidStateTransition",
    )
    .await;
    refused(
        &format!("invocation/{id}/error"),
        forbidden,
        "InvalidStateTransition",
    )
    .await;
    function.host.stop().await;
    assert_eq!(
        function.invocation.await.unwrap().json()["errorMessage"],
        "first"
    );
}

#[tokio::test]
async fn an_init_error_is_given_to_the_caller_in_the_functions_words() {
    let function = Function::invoked().await;
    let report = r#"{"errorType":"Config","errorMessage":"no DATABASE_URL"}"#;
    assert_eq!(
        function.post("init/error", report).await.0,
        StatusCode::ACCEPTED
    );
    // The host starts a second process, which reports the same.
    let old = &function.variables["AWS_LAMBDA_RUNTIME_API"];
    let written = function.host.folder.path().join("environment");
    let second = eventually(
        async || read(&written).map(|variables| variables["AWS_LAMBDA_RUNTIME_API"].clone()),
        |api| api != old,
    )
    .await;
    let path = "/2018-06-01/runtime/init/error";
    let request = Client::new(&second)
        .anonymous(Method::POST, path)
        .body(report);
    assert_eq!(Answer::of(request).await.status, StatusCode::ACCEPTED);
    let answer = function.invocation.await.unwrap();
    assert_eq!(
        answer.json(),
        serde_json::from_str::<Value>(report).unwrap()
    );
    function.host.stop().await;
}
