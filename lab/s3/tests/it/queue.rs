//! Notifications to an SQS queue.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use time::PrimitiveDateTime;
use time::macros::format_description;

use crate::support::receiver::{Call, Receiver, key_of, queueing_config};
use crate::support::{BUCKET, Lab, Role, put};

const KEY: &str = "transactions/a b";

async fn start(queue: &Receiver) -> Lab {
    let root = TempDir::new().unwrap();
    let config = queueing_config(root.path(), queue.address);
    Lab::start_with(root, config).await
}

/// Returns the message in a call.
fn message(call: &Call) -> Value {
    serde_json::from_str(call.event["MessageBody"].as_str().unwrap()).unwrap()
}

fn is_test_event(call: &Call) -> bool {
    message(call)["Event"] == "s3:TestEvent"
}

#[tokio::test]
async fn a_test_event_comes_first_then_the_events() {
    let queue = Receiver::queue().await;
    let lab = start(&queue).await;
    put(&lab.client(Role::AppTier), KEY, "hello").await;
    let calls = queue.wait_for(2).await;
    for call in &calls {
        assert_eq!(call.path, "/");
        assert_eq!(call.headers["x-amz-target"], "AmazonSQS.SendMessage");
        assert_eq!(call.headers["content-type"], "application/x-amz-json-1.0");
        let url = format!("http://{}/000000000000/payments", queue.address);
        assert_eq!(call.event["QueueUrl"], url);
        assert_eq!(call.event.as_object().unwrap().len(), 2);
    }
    let test = message(&calls[0]);
    let mut members: Vec<_> = test.as_object().unwrap().keys().collect();
    members.sort_unstable();
    assert_eq!(
        members,
        ["Bucket", "Event", "HostId", "RequestId", "Service", "Time"]
    );
    assert_eq!(test["Service"], "Amazon S3");
    assert_eq!(test["Event"], "s3:TestEvent");
    assert_eq!(test["Bucket"], BUCKET);
    assert!(test["Time"].as_str().unwrap().ends_with('Z'));
    assert_eq!(key_of(&message(&calls[1])), KEY);
    lab.wait_for_empty_spool().await;
    lab.end().await;
    queue.end();
}

#[tokio::test]
async fn a_message_is_signed_for_sqs() {
    let queue = Receiver::queue().await;
    let lab = start(&queue).await;
    let call = queue.wait_for(1).await.remove(0);
    let sent = call.headers["authorization"].to_str().unwrap();
    assert!(
        sent.starts_with("AWS4-HMAC-SHA256 Credential=LABS3/"),
        "{sent}"
    );
    assert!(sent.contains("/us-west-2/sqs/aws4_request"), "{sent}");
    let (_, signature) = sent.split_once("Signature=").unwrap();
    assert_eq!(signature, signature_of(&call, "s3-secret"));
    assert_ne!(signature, signature_of(&call, "another-secret"));
    lab.end().await;
    queue.end();
}

/// Computes the signature of a call as it arrived.
fn signature_of(call: &Call, secret: &str) -> String {
    let header = |name: &str| call.headers[name].to_str().unwrap();
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let time = PrimitiveDateTime::parse(header("x-amz-date"), format).unwrap();
    let (_, signed) = header("authorization")
        .split_once("SignedHeaders=")
        .unwrap();
    let (signed, _) = signed.split_once(',').unwrap();
    let names = signed
        .split(';')
        .filter(|name| *name != "host" && *name != "x-amz-date");
    let identity = Credentials::from_keys("LABS3", secret, None).into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region("us-west-2")
        .name("sqs")
        .time(SystemTime::from(time.assume_utc()))
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let request = SignableRequest::new(
        "POST",
        format!("http://{}{}", header("host"), call.path),
        names.map(|name| (name, header(name))),
        SignableBody::Bytes(&call.body),
    );
    let (_, signature) = sign(request.unwrap(), &parameters).unwrap().into_parts();
    signature
}

#[tokio::test]
async fn events_wait_for_the_test_event_of_each_rule_and_start() {
    let queue = Receiver::start(StatusCode::OK, &[StatusCode::SERVICE_UNAVAILABLE; 3]).await;
    let root = TempDir::new().unwrap();
    let mut config = queueing_config(root.path(), queue.address);
    let rules = config["buckets"][0]["notifications"]
        .as_array_mut()
        .unwrap();
    let mut copies = rules[0].clone();
    copies["id"] = json!("copies");
    copies["prefix"] = json!("copies/");
    rules.push(copies);
    let lab = Lab::start_with(root, config).await;
    put(&lab.operator(), KEY, "x").await;
    let calls = queue.wait_for(3).await;
    let tests: Vec<_> = calls.iter().map(is_test_event).collect();
    assert_eq!(tests, [true, true, false]);
    lab.wait_for_empty_spool().await;

    let lab = lab.restart().await;
    put(&lab.operator(), KEY, "x").await;
    let calls = queue.wait_for(6).await;
    let tests: Vec<_> = calls[3..].iter().map(is_test_event).collect();
    assert_eq!(tests, [true, true, false]);
    lab.end().await;
    queue.end();
}

#[tokio::test]
async fn a_function_gets_no_test_event_beside_a_queue() {
    let queue = Receiver::queue().await;
    let function = Receiver::function().await;
    let root = TempDir::new().unwrap();
    let mut config = queueing_config(root.path(), queue.address);
    let mut rule = config["buckets"][0]["notifications"][0].clone();
    rule.as_object_mut().unwrap().remove("queue_arn");
    rule["function_arn"] = json!(crate::support::FUNCTION);
    config["buckets"][0]["notifications"]
        .as_array_mut()
        .unwrap()
        .push(rule);
    config["lambda_endpoint"] = json!(format!("http://{}", function.address));
    config["lambda_credentials"] = config["sqs_credentials"].clone();
    let lab = Lab::start_with(root, config).await;
    put(&lab.operator(), KEY, "x").await;
    let messages = queue.wait_for(2).await;
    let event = function.wait_for(1).await.remove(0).event;
    assert_eq!(key_of(&event), KEY);
    assert_eq!(key_of(&message(&messages[1])), KEY);
    lab.wait_for_empty_spool().await;
    assert_eq!(function.calls().len(), 1);
    lab.end().await;
    queue.end();
    function.end();
}
