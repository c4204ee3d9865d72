//! Request faults, as the pipeline's roles see them.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::receiver::{Receiver, key_of, notifying_config};
use crate::support::{BUCKET, Lab, Requests, Role, answer, app_put, get, is, keys, put};

const KEY: &str = "transactions/a";
const OK: (u16, &str) = (200, "");
/// The connection was closed.
const NONE: (u16, &str) = (0, "");

async fn try_put(client: &Client) -> (u16, String) {
    let request = app_put(client, KEY, "hello").if_none_match("*");
    answer(request.send().await)
}

#[tokio::test]
async fn a_refusal_comes_before_a_put_is_handled_and_spares_the_admin() {
    let lab = Lab::start().await;
    let app = lab.once(Role::AppTier);
    let cases = [
        ("slow-down", (503, "SlowDown")),
        ("access-denied", (403, "AccessDenied")),
        ("expired-token", (400, "ExpiredToken")),
        ("conflict", (409, "ConditionalRequestConflict")),
        ("bad-digest", (400, "BadDigest")),
    ];
    for (name, refusal) in cases {
        lab.fault(name, json!({})).await;
        is(try_put(&app).await, refusal);
        assert!(keys(&lab.operator()).await.is_empty(), "{name}");
        assert_eq!(lab.injected(name).await, 1, "{name}");
        is(try_put(&lab.once(Role::Operator)).await, OK);
        assert_eq!(lab.injected(name).await, 1, "{name} spares the admin");
        let delete = lab.operator().delete_key(KEY);
        delete.send().await.unwrap();
        lab.heal().await;
        is(try_put(&app).await, OK);
        lab.operator().delete_key(KEY).send().await.unwrap();
    }
    lab.end().await;
}

#[tokio::test]
async fn a_put_may_be_done_though_its_answer_is_an_error_or_none() {
    for (name, seen) in [
        ("error-after-store", (500, "InternalError")),
        ("answer-lost", NONE),
    ] {
        let lab = Lab::start().await;
        let app = lab.once(Role::AppTier);
        lab.fault(name, json!({})).await;
        is(try_put(&app).await, seen);
        assert_eq!(get(&lab.operator(), KEY).await, b"hello", "{name}");
        is(try_put(&app).await, (412, "PreconditionFailed"));
        assert_eq!(lab.injected(name).await, 1, "a refused PUT is not done");
        lab.end().await;
    }
}

#[tokio::test]
async fn a_forgotten_put_is_answered_as_if_it_were_stored() {
    let function = Receiver::function().await;
    let root = tempfile::TempDir::new().unwrap();
    let config = notifying_config(root.path(), function.address);
    let lab = Lab::start_with(root, config).await;
    let app = lab.once(Role::AppTier);
    lab.fault("forget", json!({ "count": 1 })).await;
    put(&lab.operator(), "transactions/spared", "hello").await;
    let forgotten = app_put(&app, KEY, "hello").if_none_match("*");
    let forgotten = forgotten.send().await.unwrap();
    let kept = app_put(&app, "transactions/kept", "hello");
    let kept = kept.send().await.unwrap();
    assert_eq!(forgotten.e_tag(), kept.e_tag());
    assert_eq!(forgotten.checksum_crc32(), kept.checksum_crc32());
    let stored = ["transactions/kept", "transactions/spared"];
    assert_eq!(keys(&lab.operator()).await, stored);
    lab.wait_for_empty_spool().await;
    let calls = function.calls();
    let mut told: Vec<_> = calls.iter().map(|call| key_of(&call.event)).collect();
    told.sort_unstable();
    assert_eq!(told, stored);
    lab.end().await;
    function.end();
}

#[tokio::test]
async fn latency_comes_before_a_request_is_handled_and_ends_with_the_server() {
    let lab = Lab::start().await;
    let app = lab.once(Role::AppTier);
    let setting = json!({ "ms": 3_600_000, "count": 1 });
    lab.fault("latency", setting).await;
    let late = app.clone();
    let late = tokio::spawn(async move { try_put(&late).await });
    lab.wait_for_injected("latency", 1).await;
    put(&app, "transactions/b", "others do not wait").await;
    lab.fault("latency", json!({ "ms": 1, "count": 1 })).await;
    put(&app, "transactions/c", "waited a moment").await;
    let handled = ["transactions/b", "transactions/c"];
    assert_eq!(keys(&lab.operator()).await, handled);
    lab.end().await;
    is(late.await.unwrap(), OK);
}

#[tokio::test]
async fn a_request_that_hangs_is_not_handled() {
    let lab = Lab::start().await;
    let app = lab.once(Role::AppTier);
    lab.fault("hang", json!({ "ms": 1, "count": 1 })).await;
    is(try_put(&app).await, NONE);
    let setting = json!({ "ms": 3_600_000, "count": 1 });
    lab.fault("hang", setting).await;
    let hangs = app.clone();
    let hangs = tokio::spawn(async move { try_put(&hangs).await });
    lab.wait_for_injected("hang", 2).await;
    put(&app, "transactions/b", "others do not wait").await;
    assert_eq!(keys(&lab.operator()).await, ["transactions/b"]);
    lab.end().await;
    is(hangs.await.unwrap(), NONE);
}

#[tokio::test]
async fn requests_that_hang_take_up_no_memory_for_bodies() {
    let lab = Lab::start().await;
    lab.fault("hang", json!({ "ms": 3_600_000 })).await;
    // Without a known length, each body may reserve an eighth of the memory.
    let head =
        format!("PUT /{BUCKET}/a HTTP/1.1\r\nHost: s3\r\nTransfer-Encoding: chunked\r\n\r\n");
    let mut held = Vec::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(lab.address()).await.unwrap();
        let request = format!("{head}5\r\nhello\r\n0\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        held.push(stream);
    }
    lab.wait_for_injected("hang", 10).await;
    lab.end().await;
    for mut stream in held {
        let mut rest = Vec::new();
        let read = stream.read_to_end(&mut rest).await;
        assert!(read.is_err() || rest.is_empty());
    }
}

#[tokio::test]
async fn faults_are_not_injected_into_copies_and_parts() {
    let lab = Lab::start().await;
    put(&lab.operator(), KEY, "hello").await;
    for name in ["slow-down", "forget", "error-after-store"] {
        lab.fault(name, json!({})).await;
    }
    let client = lab.once(Role::AppTierObjectLayout);
    let copy = client.copy_object().bucket(BUCKET).key("transactions/b");
    let copy = copy
        .copy_source(format!("{BUCKET}/{KEY}"))
        .server_side_encryption("AES256".into());
    copy.send().await.unwrap();
    let upload = client
        .create_multipart_upload()
        .bucket(BUCKET)
        .key("transactions/c");
    let upload = upload
        .server_side_encryption("AES256".into())
        .send()
        .await
        .unwrap();
    let part = client.upload_part().bucket(BUCKET).key("transactions/c");
    let part = part
        .upload_id(upload.upload_id().unwrap())
        .part_number(1)
        .body(ByteStream::from_static(b"hello"));
    part.send().await.unwrap();
    assert_eq!(keys(&lab.operator()).await, [KEY, "transactions/b"]);
    lab.end().await;
}
