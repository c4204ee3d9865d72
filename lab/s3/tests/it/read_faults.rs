//! Faults of reads and listings.

use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use serde_json::json;

use crate::support::{BUCKET, Lab, Requests, Role, answer, get, is, put};

const KEY: &str = "transactions/a";

#[tokio::test]
async fn reads_and_listings_are_refused_too_and_other_requests_are_not() {
    let lab = Lab::start().await;
    put(&lab.operator(), KEY, "hello").await;
    let function = lab.once(Role::Lambda);
    lab.fault("slow-down", json!({})).await;
    lab.fault("conflict", json!({})).await;
    lab.fault("bad-digest", json!({})).await;
    let slow = (503, "SlowDown");
    is(answer(function.get_key(KEY).send().await), slow);
    assert_eq!(answer(function.head_key(KEY).send().await).0, 503);
    let list = function.list_objects_v2().bucket(BUCKET);
    is(answer(list.prefix("transactions/").send().await), slow);
    let delete = answer(function.delete_key(KEY).send().await);
    is(delete, (403, "AccessDenied"));
    lab.fault("slow-down", json!({ "rate": 0.0 })).await;
    assert_eq!(get(&function, KEY).await, b"hello");
    for (name, count) in [("slow-down", 3), ("conflict", 0), ("bad-digest", 0)] {
        assert_eq!(lab.injected(name).await, count, "{name}");
    }
    lab.end().await;
}

/// Returns what arrives of a body, unchecked, and whether it is complete.
async fn arrives(request: GetObjectFluentBuilder) -> (Vec<u8>, bool) {
    let unchecked = aws_sdk_s3::Config::builder()
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    let request = request.customize().config_override(unchecked);
    let mut body = request.send().await.unwrap().body;
    let mut arrived = Vec::new();
    while let Some(chunk) = body.next().await {
        match chunk {
            Ok(chunk) => arrived.extend_from_slice(&chunk),
            Err(_) => return (arrived, false),
        }
    }
    (arrived, true)
}

#[tokio::test]
async fn a_corrupt_get_differs_in_one_byte_and_fails_its_checksum() {
    let lab = Lab::start().await;
    let body: Vec<u8> = (0_u8..=250).cycle().take(600_000).collect();
    put(&lab.operator(), KEY, body.clone()).await;
    let function = lab.once(Role::Lambda);
    lab.fault("corrupt-get", json!({})).await;
    let output = function.get_key(KEY).send().await.unwrap();
    let checked = output.body.collect().await;
    assert!(checked.is_err(), "the checksum should not match");
    let (arrived, whole) = arrives(function.get_key(KEY)).await;
    let differing = arrived.iter().zip(&body).filter(|(a, b)| a != b).count();
    assert_eq!((whole, arrived.len(), differing), (true, body.len(), 1));
    assert!(get(&lab.operator(), KEY).await == body);
    lab.end().await;
}

#[tokio::test]
async fn a_truncated_get_ends_half_way() {
    let lab = Lab::start().await;
    let function = lab.once(Role::Lambda);
    lab.fault("truncated-get", json!({})).await;
    for size in [10, 600_000] {
        put(&lab.operator(), KEY, vec![7; size]).await;
        let output = function.get_key(KEY).send().await.unwrap();
        assert_eq!(output.content_length(), i64::try_from(size).ok());
        let (arrived, whole) = arrives(function.get_key(KEY)).await;
        assert_eq!((whole, arrived.len()), (false, size / 2));
    }
    lab.end().await;
}

#[tokio::test]
async fn an_object_is_not_yet_readable_though_it_is_there() {
    let lab = Lab::start().await;
    put(&lab.operator(), KEY, "hello").await;
    let function = lab.once(Role::Lambda);
    lab.fault("not-yet-readable", json!({ "count": 2 })).await;
    let absent = function.get_key("transactions/absent").send().await;
    is(answer(absent), (404, "NoSuchKey"));
    assert_eq!(lab.injected("not-yet-readable").await, 0);
    let early = function.get_key(KEY).send().await;
    is(answer(early), (404, "NoSuchKey"));
    assert_eq!(answer(function.head_key(KEY).send().await).0, 404);
    assert_eq!(get(&lab.operator(), KEY).await, b"hello");
    assert_eq!(get(&function, KEY).await, b"hello");
    lab.end().await;
}
