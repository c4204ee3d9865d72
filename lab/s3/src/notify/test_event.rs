//! The test message with which S3 checks a queue (S3 User Guide, "Event message structure").

use bytes::Bytes;
use serde::Serialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::event::format_time;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TestEvent<'a> {
    service: &'static str,
    event: &'static str,
    time: String,
    bucket: &'a str,
    request_id: String,
    host_id: String,
}

pub fn json(bucket: &str) -> serde_json::Result<Bytes> {
    let event = TestEvent {
        service: "Amazon S3",
        event: "s3:TestEvent",
        time: format_time(OffsetDateTime::now_utc()),
        bucket,
        request_id: format!("{:016X}", rand::random::<u64>()),
        host_id: Uuid::new_v4().simple().to_string(),
    };
    serde_json::to_vec(&event).map(Bytes::from)
}
