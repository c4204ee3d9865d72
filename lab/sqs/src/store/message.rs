//! What is stored about a message.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The message as it was sent; never changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Message {
    pub body: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: Attributes,
}

/// Message attributes by name, which is also the order in which they are digested.
pub type Attributes = BTreeMap<String, Attribute>;

/// A message attribute in its wire format.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub data_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_value: Option<String>,
    /// Base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary_value: Option<String>,
}

/// What has happened to the message since it was sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    pub receives: u32,
    pub first_received_ms: Option<u64>,
    /// The queue that this message was moved from, if it is a dead letter.
    pub dead_letter_of: Option<String>,
}

/// Returns the time when a message was sent, which its version 7 id contains.
pub fn sent_ms(id: Uuid) -> u64 {
    id.get_timestamp().map_or(0, |timestamp| {
        let (seconds, nanos) = timestamp.to_unix();
        seconds * 1000 + u64::from(nanos / 1_000_000)
    })
}

/// Returns the current time in milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub fn md5_of_body(body: &str) -> String {
    hex::encode(Md5::digest(body))
}
