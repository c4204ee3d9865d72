//! Large objects of other writers, within the function's limits of memory and time.

use std::{fmt::Write as _, time::Duration};

use aws_sdk_s3::types::ServerSideEncryption;
use lab_runner::{lab::BUCKET, part::PartName};
use serde_json::json;

use crate::test_lab::{TestLab, assert_success};

/// Time for objects that take the function a minute, and its retries.
const TIMEOUT: Duration = Duration::from_mins(2);

/// Returns so many plain payments, with notes of `note` bytes.
fn payments(name: &str, count: usize, note: usize) -> String {
    let note = "n".repeat(note);
    (0..count).fold(String::new(), |mut text, n| {
        // Writing to a string can't fail.
        let _ = writeln!(text, r#"{{"id":"{name}-{n}","amount":1,"note":"{note}"}}"#);
        text
    })
}

/// The largest object that is accepted has 100,000 lines and 64 MiB.
#[tokio::test]
async fn p2_objects_up_to_the_limit_are_ingested_within_memory_and_time() {
    let lab = TestLab::up();
    for (name, lines, note) in [
        ("a-13000", 13_000, 1_750),
        ("b-100000", 100_000, 0),
        ("c-60-mib", 100_000, 590),
        ("d-too-many", 100_001, 0),
    ] {
        let key = format!("transactions/{name}.ndjson");
        put(&lab, &key, payments(name, lines, note)).await;
    }
    let ledger = "SELECT object_key, row_count, reject_count FROM payments.ingested_objects \
                  WHERE object_key NOT LIKE '%/dt=%' ORDER BY object_key";
    let ingested = [
        "transactions/a-13000.ndjson\t13000\t0",
        "transactions/b-100000.ndjson\t100000\t0",
        "transactions/c-60-mib.ndjson\t100000\t0",
        "transactions/d-too-many.ndjson\t0\t1",
    ];
    lab.until_selected(ledger, &ingested, TIMEOUT).await;
    assert_no_run_failed(&lab);
}

/// What is kept of a line for `rejects` is bounded for all objects of an event together.
#[tokio::test]
async fn p2_large_objects_of_odd_lines_in_one_event_are_ingested_within_memory() {
    let lab = TestLab::up();
    assert_success(&lab.run(&["fault", "s3", "event-drop"]));
    let odd = format!("{{\"id\":{{}},\"note\":\"{}\"}}\n", "n".repeat(1_600)).repeat(13_000);
    let keys = ["transactions/odd-a.ndjson", "transactions/odd-b.ndjson"];
    for key in keys {
        put(&lab, key, odd.clone()).await;
    }
    let record = |key: &str| {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": { "bucket": { "name": BUCKET }, "object": { "key": key } },
        })
    };
    let answer = lab.invoke(&json!({ "Records": keys.map(record) })).await;
    assert!(!answer.contains("error"), "{answer}");
    let ledger = "SELECT object_key, row_count, reject_count FROM payments.ingested_objects \
                  WHERE object_key LIKE '%/odd-%' ORDER BY object_key";
    let ingested = keys.map(|key| format!("{key}\t0\t13000"));
    assert_eq!(lab.select(ledger).await, ingested);
    assert_no_run_failed(&lab);
}

async fn put(lab: &TestLab, key: &str, body: String) {
    let s3 = lab.s3(&lab.lab.credentials.aws.operator);
    s3.put_object()
        .bucket(BUCKET)
        .key(key)
        .body(body.into_bytes().into())
        // The bucket's policy refuses what is not encrypted.
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
}

fn assert_no_run_failed(lab: &TestLab) {
    let log = lab.log(PartName::Lambda);
    for failed in ["Status: timeout", "Status: error"] {
        assert!(!log.contains(failed), "{log}");
    }
}
