//! Events in AWS's formats.

use payment_core::ObjectKey;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::bucket;

/// S3's own event. Keys are form-encoded.
pub fn s3(keys: &[ObjectKey]) -> Value {
    let record = |key: &ObjectKey| {
        let encoded = utf8_percent_encode(key.as_str(), NON_ALPHANUMERIC).to_string();
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
            "s3": {"bucket": {"name": bucket::NAME}, "object": {"key": encoded.replace("%20", "+")}},
        })
    };
    json!({"Records": keys.iter().map(record).collect::<Vec<_>>()})
}

pub fn sns(event: &Value) -> Value {
    json!({"Records": [
        {"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": {"Message": event.to_string()}},
    ]})
}

/// One EventBridge event per object; keys are not encoded.
pub fn event_bridge(key: &ObjectKey) -> Value {
    json!({
        "version": "0", "detail-type": "Object Created", "source": "aws.s3",
        "detail": {"bucket": {"name": bucket::NAME}, "object": {"key": key.as_str()}},
    })
}

/// Queue messages: id and body.
pub fn sqs<'m>(messages: impl Iterator<Item = (&'m str, &'m str)>) -> Value {
    let record = |(id, body)| json!({"messageId": id, "eventSource": "aws:sqs", "body": body});
    json!({"Records": messages.map(record).collect::<Vec<_>>()})
}

/// S3's test event, sent once when a notification is configured.
pub fn test() -> Value {
    json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket::NAME})
}

pub fn schedule() -> Value {
    json!({"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})
}
