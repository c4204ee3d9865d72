//! Events: their format, and that each arrives.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::primitives::ByteStream;
use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::support::receiver::{Receiver, key_of, notifying_config};
use crate::support::{BUCKET, FUNCTION, Lab, Requests, Role, answer, put};

async fn start(lambda: &Receiver) -> Lab {
    let root = TempDir::new().unwrap();
    let config = notifying_config(root.path(), lambda.address);
    Lab::start_with(root, config).await
}

#[tokio::test]
async fn the_message_is_s3s_own() {
    let lambda = Receiver::function().await;
    let lab = start(&lambda).await;
    let app = lab.client(Role::AppTier);
    put(&app, "transactions/dt=2026-11-22/a b+ü.ndjson", "hello").await;
    let call = lambda.wait_for(1).await.remove(0);

    assert_eq!(
        call.path,
        "/2015-03-31/functions/FinTechTransactionAlert/invocations"
    );
    assert_eq!(call.headers["x-amz-invocation-type"], "Event");
    let authorization = call.headers["authorization"].to_str().unwrap();
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=LABS3/"),
        "{authorization}"
    );
    assert!(
        authorization.contains("/us-west-2/lambda/aws4_request"),
        "{authorization}"
    );

    let mut event = call.event.clone();
    let record = &mut event["Records"][0];
    let time = record["eventTime"].take();
    assert!(is_time_with_milliseconds(time.as_str().unwrap()), "{time}");
    let sequencer = record["s3"]["object"]["sequencer"].take();
    assert!(is_hex(sequencer.as_str().unwrap(), 16), "{sequencer}");
    let request_id = record["responseElements"]["x-amz-request-id"].take();
    assert!(is_hex(request_id.as_str().unwrap(), 16), "{request_id}");
    assert!(record["responseElements"]["x-amz-id-2"].take().is_string());
    let expected = json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-west-2",
        "eventTime": null,
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AWS:EC2-S3-Access-Role" },
        "requestParameters": { "sourceIPAddress": "127.0.0.1" },
        "responseElements": { "x-amz-request-id": null, "x-amz-id-2": null },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "new-payments",
            "bucket": {
                "name": BUCKET,
                "ownerIdentity": { "principalId": "000000000000" },
                "arn": "arn:aws:s3:::fintech-payment-pipeline",
            },
            "object": {
                "key": "transactions/dt%3D2026-11-22/a+b%2B%C3%BC.ndjson",
                "size": 5,
                "eTag": "5d41402abc4b2a76b9719d911017c592",
                "sequencer": null,
            },
        },
    }]});
    assert_eq!(event, expected);
    lab.wait_for_empty_spool().await;
    lab.end().await;
    lambda.end();
}

#[tokio::test]
async fn the_event_names_the_request_that_the_client_saw() {
    let lambda = Receiver::function().await;
    let lab = start(&lambda).await;
    let client = lab.operator();
    let output = client.put_key("transactions/a").send().await.unwrap();
    let call = lambda.wait_for(1).await.remove(0);
    assert_eq!(Some(request_of(&call.event).as_str()), output.request_id());
    lab.end().await;
    lambda.end();
}

#[tokio::test]
async fn only_what_the_rule_selects_is_told() {
    let lambda = Receiver::function().await;
    let root = TempDir::new().unwrap();
    let mut config = notifying_config(root.path(), lambda.address);
    config["buckets"][0]["notifications"] = json!([
        { "id": "puts", "prefix": "t/", "suffix": ".json", "events": ["s3:ObjectCreated:Put"], "function_arn": FUNCTION },
        { "id": "copies", "prefix": "c/", "events": ["s3:ObjectCreated:Copy"], "function_arn": FUNCTION },
    ]);
    let lab = Lab::start_with(root, config).await;
    let client = lab.operator();
    for key in ["t/no", "u/no.json", "c/no", "t/1.json"] {
        put(&client, key, "x").await;
    }
    let refused = client.put_key("t/1.json").if_none_match("*").send().await;
    assert_eq!(answer(refused).0, 412);
    let corrupt = client.put_key("t/2.json").checksum_crc32("AAAAAA==");
    assert_eq!(
        answer(corrupt.body(ByteStream::from_static(b"x")).send().await).0,
        400
    );
    let copy = |to: &str| {
        client
            .copy_object()
            .copy_source(format!("{BUCKET}/t/no"))
            .bucket(BUCKET)
            .key(to)
            .send()
    };
    copy("t/3.json").await.unwrap();
    copy("c/4").await.unwrap();
    lab.wait_for_empty_spool().await;
    let mut told: Vec<_> = lambda
        .calls()
        .iter()
        .map(|call| (name_of(&call.event), key_of(&call.event)))
        .collect();
    told.sort_unstable();
    let expected = [
        ("ObjectCreated:Copy", "c/4"),
        ("ObjectCreated:Put", "t/1.json"),
    ];
    assert_eq!(
        told,
        expected.map(|(name, key)| (name.to_owned(), key.to_owned()))
    );
    lab.end().await;
    lambda.end();
}

#[tokio::test]
async fn a_refused_event_is_sent_again() {
    let refusals = [
        StatusCode::TOO_MANY_REQUESTS,
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::OK,
    ];
    let lambda = Receiver::start(StatusCode::ACCEPTED, &refusals).await;
    let lab = start(&lambda).await;
    put(&lab.operator(), "transactions/a", "x").await;
    let taken = lambda.wait_for(1).await;
    let calls = lambda.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls.iter().all(|call| call.event == taken[0].event),
        "{calls:?}"
    );
    lab.wait_for_empty_spool().await;
    lab.end().await;
    lambda.end();
}

#[tokio::test]
async fn puts_do_not_wait_for_a_function_that_hangs() {
    // The kernel accepts connections, but nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = TempDir::new().unwrap();
    let config = notifying_config(root.path(), listener.local_addr().unwrap());
    let lab = Lab::start_with(root, config).await;
    let client = lab.operator();
    let puts = async {
        for n in 0..50 {
            put(&client, &format!("transactions/{n}"), "x").await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), puts)
        .await
        .expect("the puts wait for the deliveries");
    assert_eq!(lab.spooled(), 50);
    lab.end().await;
}

#[tokio::test]
async fn the_spool_is_delivered_after_a_restart() {
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = away.local_addr().unwrap();
    drop(away);
    let root = TempDir::new().unwrap();
    let config = notifying_config(root.path(), address);
    let lab = Lab::start_with(root, config).await;
    for key in ["transactions/a", "transactions/b", "transactions/gone"] {
        put(&lab.operator(), key, "x").await;
    }
    lab.operator()
        .delete_key("transactions/gone")
        .send()
        .await
        .unwrap();
    assert_eq!(lab.spooled(), 3);
    // What a kill between the spool and the object leaves: an event without its object.
    std::fs::write(
        lab.root().join("spool/0000000000000000-0"),
        "{\"destination\":",
    )
    .unwrap();

    let lambda = Receiver::serve(
        TcpListener::bind(address).await.unwrap(),
        StatusCode::ACCEPTED,
        &[],
    );
    let lab = lab.restart().await;
    lab.wait_for_empty_spool().await;
    let mut keys: Vec<_> = lambda
        .taken()
        .iter()
        .map(|call| key_of(&call.event))
        .collect();
    keys.sort_unstable();
    keys.dedup();
    let must: Vec<_> = keys
        .iter()
        .filter(|key| *key != "transactions/gone")
        .collect();
    assert_eq!(must, ["transactions/a", "transactions/b"]);
    lab.end().await;
    lambda.end();
}

#[tokio::test]
async fn sequencers_rise_per_key_and_across_restarts() {
    let lambda = Receiver::function().await;
    let mut lab = start(&lambda).await;
    let mut requests = Vec::new();
    for round in 1..=3 {
        let client = lab.operator();
        for _ in 0..3 {
            let put = client.put_key("transactions/a").send().await.unwrap();
            requests.push(put.request_id().unwrap().to_owned());
        }
        lambda.wait_for(round * 3).await;
        lab = lab.restart().await;
    }
    let events: HashMap<_, _> = lambda
        .taken()
        .into_iter()
        .map(|call| (request_of(&call.event), call.event))
        .collect();
    let sequencers: Vec<_> = requests
        .iter()
        .map(|request| sequencer_of(&events[request]))
        .collect();
    assert!(sequencers.is_sorted_by(|a, b| a < b), "{sequencers:?}");
    lab.end().await;
    lambda.end();
}

fn name_of(event: &Value) -> String {
    event["Records"][0]["eventName"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn sequencer_of(event: &Value) -> String {
    event["Records"][0]["s3"]["object"]["sequencer"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn request_of(event: &Value) -> String {
    let elements = &event["Records"][0]["responseElements"];
    elements["x-amz-request-id"].as_str().unwrap().to_owned()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `2026-11-22T07:30:00.123Z`.
fn is_time_with_milliseconds(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00T00:00:00.000Z"
}
