//! Synchronous invocations.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, FUNCTION, Setup};

#[tokio::test]
async fn the_answer_is_the_functions_with_lambdas_headers() {
    let host = Setup::new().start().await;
    // More digits than a float holds: the payload passes unchanged.
    let answer = host
        .client
        .invoke(json!({"amount": "0.1", "nested": [1, {"a": "ü"}]}))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({"amount": "0.1", "nested": [1, {"a": "ü"}]})
    );
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("x-amz-function-error"), None);
    assert_eq!(answer.header("x-amz-log-result"), None);
    assert_eq!(answer.header("x-amzn-requestid").unwrap().len(), 36);
    host.stop().await;
}

#[tokio::test]
async fn the_function_sees_its_context_and_a_deadline_that_is_real() {
    let host = Setup::new().start().await;
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let before = now();
    let answer = host.client.invoke(json!({"do": "context"})).await;
    let context = answer.json();
    let deadline = Duration::from_millis(context["deadline_ms"].as_u64().unwrap());
    assert!(before + Duration::from_secs(4) < deadline, "{deadline:?}");
    assert!(deadline <= now() + Duration::from_secs(5), "{deadline:?}");
    assert_eq!(
        context["request_id"],
        *answer.header("x-amzn-requestid").unwrap()
    );
    assert_eq!(
        context["arn"],
        format!("arn:aws:lambda:us-west-2:000000000000:function:{FUNCTION}")
    );
    let trace = context["trace_id"].as_str().unwrap();
    assert!(
        trace.starts_with("Root=1-") && trace.contains(";Parent="),
        "{trace}"
    );
    host.stop().await;
}

#[tokio::test]
async fn every_form_of_the_name_is_taken_and_another_function_is_not_found() {
    let host = Setup::new().start().await;
    let arn = format!("arn:aws:lambda:us-west-2:000000000000:function:{FUNCTION}");
    for (name, query, status) in [
        (FUNCTION, "", StatusCode::OK),
        (FUNCTION, "?Qualifier=%24LATEST", StatusCode::OK),
        (arn.as_str(), "", StatusCode::OK),
        (arn.replace(':', "%3A").as_str(), "", StatusCode::OK),
        (FUNCTION, "?Qualifier=PROD", StatusCode::NOT_FOUND),
        ("Other", "", StatusCode::NOT_FOUND),
    ] {
        let path = format!("/2015-03-31/functions/{name}/invocations{query}");
        let answer = Answer::of(host.client.request(Method::POST, &path)).await;
        assert_eq!(answer.status, status, "{path}");
        if status == StatusCode::NOT_FOUND {
            assert_eq!(
                answer.header("x-amzn-errortype"),
                Some("ResourceNotFoundException")
            );
            let message = answer.json()["Message"].as_str().unwrap().to_owned();
            assert!(
                message.starts_with("Function not found: arn:aws:lambda:"),
                "{message}"
            );
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn no_payload_is_an_empty_object_and_what_is_not_json_is_refused() {
    let host = Setup::new().start().await;
    let empty = Answer::of(host.client.invocation(&json!(0)).body("")).await;
    assert_eq!(empty.json(), json!({}));
    let broken = Answer::of(host.client.invocation(&json!(0)).body("{")).await;
    assert_eq!(broken.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        broken.header("x-amzn-errortype"),
        Some("InvalidRequestContentException")
    );
    assert_eq!(broken.json()["Type"], "User");
    host.stop().await;
}

#[tokio::test]
async fn a_payload_over_the_limit_of_its_kind_is_refused() {
    let host = Setup::new().start().await;
    for (kind, limit) in [("RequestResponse", 6 << 20), ("Event", 1 << 20)] {
        for (excess, status) in [(0, true), (1, false)] {
            let body = format!("\"{}\"", "x".repeat(limit - 2 + excess));
            let request = host
                .client
                .invocation(&json!(0))
                .header("x-amz-invocation-type", kind);
            let answer = Answer::of(request.body(body)).await;
            assert_eq!(
                answer.status.is_success(),
                status,
                "{kind} {excess} {:?}",
                answer.status
            );
            if !status {
                assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
                assert_eq!(
                    answer.header("x-amzn-errortype"),
                    Some("RequestTooLargeException")
                );
            }
        }
    }
    host.stop().await;
}

#[tokio::test]
async fn the_log_tail_has_the_platforms_lines_around_the_functions() {
    let host = Setup::new().start().await;
    let request = host
        .client
        .invocation(&json!({"do": "print", "text": "said by the function"}));
    let answer = Answer::of(request.header("x-amz-log-type", "Tail")).await;
    let tail = BASE64
        .decode(answer.header("x-amz-log-result").unwrap())
        .unwrap();
    let tail = String::from_utf8(tail).unwrap();
    let id = answer.header("x-amzn-requestid").unwrap();
    let expected = [
        "INIT_START ".to_owned(),
        format!("START RequestId: {id} Version: $LATEST"),
        "said by the function".to_owned(),
        format!("END RequestId: {id}"),
        format!("REPORT RequestId: {id}\tDuration: "),
    ];
    let lines: Vec<&str> = tail.lines().collect();
    assert_eq!(lines.len(), expected.len(), "{tail}");
    for (line, start) in lines.iter().zip(&expected) {
        assert!(line.starts_with(start), "{line} has not the start {start}");
    }
    for part in [
        "\tBilled Duration: ",
        "\tMemory Size: 128 MB\t",
        "\tInit Duration: ",
    ] {
        assert!(lines[4].contains(part), "{} has no {part}", lines[4]);
    }
    let used = lines[4].split("Max Memory Used: ").nth(1).unwrap();
    assert!(!used.starts_with('0'), "{used}");
    host.stop().await;
}

#[tokio::test]
async fn a_long_log_tail_is_the_last_four_kibibytes() {
    let host = Setup::new().start().await;
    let request = host
        .client
        .invocation(&json!({"do": "print", "text": "~".repeat(200_000)}));
    let answer = Answer::of(request.header("x-amz-log-type", "Tail")).await;
    let tail = BASE64
        .decode(answer.header("x-amz-log-result").unwrap())
        .unwrap();
    assert_eq!(tail.len(), 4096);
    assert!(
        String::from_utf8(tail)
            .unwrap()
            .contains("REPORT RequestId: ")
    );
    let log = host.stop().await.log;
    assert!(
        log.lines().all(|line| line.len() <= 128 << 10),
        "a line was not cut"
    );
    assert_eq!(log.matches('~').count(), 200_000, "output was lost");
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let host = Setup::new().start().await;
    let request = host
        .client
        .invocation(&json!({}))
        .header("x-amz-invocation-type", "DryRun");
    assert_eq!(Answer::of(request).await.status, StatusCode::NO_CONTENT);
    assert_eq!(host.client.status().await["counts"]["invocations"], 0);
    let request = host
        .client
        .invocation(&json!({}))
        .header("x-amz-invocation-type", "Later");
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        answer.header("x-amzn-errortype"),
        Some("InvalidParameterValueException")
    );
    host.stop().await;
}

#[tokio::test]
async fn a_call_beyond_the_concurrency_is_throttled() {
    let host = Setup::new()
        .with(|config| config.function.concurrency = 1)
        .start()
        .await;
    let client = host.client.clone();
    let slow = tokio::spawn(async move { client.invoke(json!({"do": "sleep", "ms": 1000})).await });
    host.client.until(|status| status["running"] == 1).await;
    let refused = host.client.invoke(json!({})).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        refused.header("x-amzn-errortype"),
        Some("TooManyRequestsException")
    );
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        refused.json()["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    assert_eq!(slow.await.unwrap().status, StatusCode::OK);
    // The slot is free when the answer arrives, not some time later.
    assert_eq!(host.client.invoke(json!({})).await.status, StatusCode::OK);
    assert_eq!(host.client.status().await["counts"]["throttles"], 1);
    host.stop().await;
}

#[tokio::test]
async fn the_function_is_described_without_its_environment() {
    let setup = Setup::new();
    let secret = setup.path("secret-value");
    let host = setup.variable("DATABASE_URL", &secret).start().await;
    let path = format!("/2015-03-31/functions/{FUNCTION}");
    let answer = Answer::of(host.client.request(Method::GET, &path)).await;
    assert_eq!(answer.json()["Configuration"]["Timeout"], 5);
    assert_eq!(
        answer.json()["Concurrency"]["ReservedConcurrentExecutions"],
        2
    );
    assert!(!String::from_utf8_lossy(&answer.body).contains("secret-value"));
    let list = host.client.get("/2015-03-31/functions/").await;
    assert_eq!(list["Functions"][0]["FunctionName"], FUNCTION);
    host.stop().await;
}
