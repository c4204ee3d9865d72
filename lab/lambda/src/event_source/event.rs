//! The event made from a queue's messages, and the function's report on them.

use std::collections::{BTreeMap, HashSet};

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A message as a record of Lambda's SQS event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
    message_attributes: BTreeMap<&'a str, Value>,
    md5_of_body: &'a str,
    event_source: &'a str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event<'a> {
    pub records: Vec<Record<'a>>,
}

impl<'a> Record<'a> {
    pub fn new(message: &'a Message, arn: &'a str, region: &'a str) -> Self {
        let attributes = message.attributes().into_iter().flatten();
        let custom = message.message_attributes().into_iter().flatten();
        Self {
            message_id: message.message_id().unwrap_or_default(),
            receipt_handle: message.receipt_handle().unwrap_or_default(),
            body: message.body().unwrap_or_default(),
            attributes: attributes
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect(),
            message_attributes: custom
                .map(|(name, value)| (name.as_str(), message_attribute(value)))
                .collect(),
            md5_of_body: message.md5_of_body().unwrap_or_default(),
            event_source: "aws:sqs",
            event_source_arn: arn,
            aws_region: region,
        }
    }
}

fn message_attribute(value: &MessageAttributeValue) -> Value {
    let binary = value.binary_value().map(|blob| BASE64.encode(blob));
    let mut json = json!({
        "dataType": value.data_type(),
        "stringListValues": [],
        "binaryListValues": [],
    });
    if let Some(text) = value.string_value() {
        json["stringValue"] = text.into();
    }
    if let Some(binary) = binary {
        json["binaryValue"] = binary.into();
    }
    json
}

/// The function's report of which messages failed.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Report {
    batch_item_failures: Option<Vec<ItemFailure>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemFailure {
    item_identifier: String,
}

/// Returns which of `ids` failed. `None` if the report cannot be parsed, or names a message outside the batch: then all
/// of them count as failed, as on Lambda.
pub fn failed(answer: &[u8], ids: &HashSet<&str>) -> Option<HashSet<String>> {
    let report: Option<Report> = serde_json::from_slice(answer).ok()?;
    let failures = report.unwrap_or_default().batch_item_failures;
    let mut failed = HashSet::new();
    for failure in failures.unwrap_or_default() {
        if !ids.contains(failure.item_identifier.as_str()) {
            return None;
        }
        failed.insert(failure.item_identifier);
    }
    Some(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_the_failed_messages_or_fails_them_all() {
        let ids = HashSet::from(["a", "b"]);
        for none in [
            "null",
            "{}",
            r#"{"batchItemFailures":null}"#,
            r#"{"batchItemFailures":[]}"#,
            r#"{"stored":2}"#,
        ] {
            assert_eq!(
                failed(none.as_bytes(), &ids),
                Some(HashSet::new()),
                "{none}"
            );
        }
        let one = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(failed(one, &ids), Some(HashSet::from(["b".to_owned()])));
        for all in [
            "",
            "not JSON",
            "\"text\"",
            r#"{"batchItemFailures":[{"itemIdentifier":"c"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"id":"a"}]}"#,
        ] {
            assert_eq!(failed(all.as_bytes(), &ids), None, "{all}");
        }
    }
}
