//! The packaged function under AWS's own Runtime Interface Emulator, and the app tier: both on a third-party S3 (moto)
//! and a real database. The emulator and moto are installed from `PyPI` into the lab's folder.

mod moto;
mod programs;

use std::time::{Duration, Instant};

use aws_sdk_s3::{primitives::ByteStream, types::ServerSideEncryption};
use serde_json::{Value, json};

use self::{
    moto::Moto,
    programs::{AppTier, Emulator},
};
use crate::test_lab::TestLab;

pub const BUCKET: &str = "fintech-payment-pipeline";
const ROW_TIMEOUT: Duration = Duration::from_secs(10);
const SWEEP_TIMEOUT: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(200);

const S3_PUT: &str = include_str!("emulator/events/s3-put.json");
const SQS: &str = include_str!("emulator/events/sqs.json");
const SNS: &str = include_str!("emulator/events/sns.json");
const EVENT_BRIDGE: &str = include_str!("emulator/events/event-bridge.json");
const S3_TEST: &str = include_str!("emulator/events/s3-test.json");
const SCHEDULED: &str = include_str!("emulator/events/scheduled.json");

/// Returns one of AWS's documented events, about one of our objects.
fn event(sample: &str, key: &str) -> Value {
    let named = sample.replace("BUCKET", BUCKET).replace("KEY", key);
    serde_json::from_str(&named).unwrap()
}

/// Returns an S3 event wrapped in another service's message.
fn wrapped(sample: &str, key: &str) -> Value {
    let mut event = event(sample, key);
    let inner = self::event(S3_PUT, key).to_string();
    for place in ["/Records/0/body", "/Records/0/Sns/Message"] {
        if let Some(text) = event.pointer_mut(place) {
            *text = inner.clone().into();
        }
    }
    event
}

#[tokio::test]
async fn p2_the_packed_function_makes_rows_of_awss_sample_events_under_awss_emulator() {
    let lab = TestLab::up();
    let moto = Moto::start(lab.dir()).await;
    let emulator = Emulator::start(&lab, &moto).await;
    let rows = async |ids: &str| {
        let select = format!(
            "SELECT payment_id FROM payments.transactions WHERE payment_id LIKE 'rie-{ids}' ORDER BY id"
        );
        lab.select(&select).await
    };
    for (id, key) in [
        ("rie-s3", "transactions/s3 1.json"),
        ("rie-sqs", "transactions/sqs.json"),
        ("rie-sns", "transactions/sns.json"),
        ("rie-bridge", "transactions/bridge.json"),
        ("rie-lost", "transactions/lost.json"),
    ] {
        let body = json!({ "id": id, "amount": "12.50", "status": "processed" }).to_string();
        let put = moto.s3().put_object().bucket(BUCKET).key(key);
        put.body(ByteStream::from(body.into_bytes()))
            .send()
            .await
            .unwrap();
    }

    let nothing = emulator.invoke(&event(S3_TEST, "")).await;
    assert_eq!(nothing["objects"], 0, "{nothing}");
    for (event, id) in [
        (event(S3_PUT, "transactions/s3+1.json"), "s3"),
        (wrapped(SNS, "transactions/sns.json"), "sns"),
        (event(EVENT_BRIDGE, "transactions/bridge.json"), "bridge"),
    ] {
        let answer = emulator.invoke(&event).await;
        assert_eq!(answer["rows"], 1, "{id}: {answer}");
        assert_eq!(rows(id).await, [format!("rie-{id}")]);
    }
    // AWS's second message is not an event: only that one is delivered again.
    let answer = emulator
        .invoke(&wrapped(SQS, "transactions/sqs.json"))
        .await;
    let failed = json!([{ "itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da" }]);
    assert_eq!(answer["batchItemFailures"], failed, "{answer}");
    assert_eq!(rows("sqs").await, ["rie-sqs"]);
    // The sweep leaves young objects to their events, so it is repeated until this one is old enough.
    let deadline = Instant::now() + SWEEP_TIMEOUT;
    while rows("lost").await.is_empty() {
        let sweep = emulator.invoke(&event(SCHEDULED, "")).await;
        assert!(Instant::now() < deadline, "{sweep}");
        tokio::time::sleep(POLL).await;
    }
    let all = ["rie-s3", "rie-sns", "rie-bridge", "rie-sqs", "rie-lost"];
    assert_eq!(rows("%").await, all);

    let unknown = json!({ "Records": [{ "eventSource": "aws:kinesis" }] });
    let refused = emulator.invoke(&unknown).await;
    assert!(refused["errorMessage"].is_string(), "{refused}");
    emulator.end().await;
    moto.end().await;
}

#[tokio::test]
async fn p1_the_app_tier_stores_payments_in_a_third_partys_s3_and_the_function_takes_them_there() {
    let lab = TestLab::up();
    let moto = Moto::start(lab.dir()).await;
    let app = AppTier::start(&lab, &moto).await;
    let payment = json!({ "id": "moto-1", "transaction": "third party", "amount": "0.10" });
    let (status, first) = app.process(&payment).await;
    assert_eq!(status, 202, "{first}");
    let (status, again) = app.process(&payment).await;
    assert_eq!((status, &again), (200, &first));

    let listed = moto.s3().list_objects_v2().bucket(BUCKET);
    let listed = listed.prefix("transactions/dt=").send().await.unwrap();
    let keys: Vec<_> = listed.contents().iter().filter_map(|o| o.key()).collect();
    assert_eq!(keys.len(), 1, "{keys:?}");
    let head = moto.s3().head_object().bucket(BUCKET).key(keys[0]);
    let head = head.send().await.unwrap();
    assert_eq!(
        head.server_side_encryption()
            .map(ServerSideEncryption::as_str),
        Some("AES256")
    );

    let emulator = Emulator::start(&lab, &moto).await;
    let key = keys[0].replace('=', "%3D");
    let answer = emulator.invoke(&event(S3_PUT, &key)).await;
    assert_eq!(answer["rows"], 1, "{answer}");
    let select = "SELECT payment_id, transaction, amount FROM payments.transactions \
                  WHERE payment_id = 'moto-1'";
    lab.until_selected(select, &["moto-1\tthird party\t0.1000"], ROW_TIMEOUT)
        .await;
    emulator.end().await;
    app.end().await;
    moto.end().await;
}
