//! `ReceiveMessage`, with long polling.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tokio::time::sleep_until;

use super::error::ApiError;
use super::{Api, attributes, within};
use crate::config::MAX_VISIBILITY;
use crate::fault;
use crate::store::{Attributes, Handout, Message, md5_of_body, sent_ms};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    /// Older name of `message_system_attribute_names`.
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Received {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    messages: Vec<Delivery>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delivery {
    message_id: String,
    receipt_handle: String,
    #[serde(rename = "MD5OfBody")]
    md5_of_body: String,
    body: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_attributes: Option<String>,
    #[serde(skip_serializing_if = "Attributes::is_empty")]
    message_attributes: Attributes,
}

/// System attributes that a receiver may ask for; those of FIFO queues have no value here.
const SYSTEM_ATTRIBUTES: [&str; 10] = [
    "All",
    "SenderId",
    "SentTimestamp",
    "ApproximateReceiveCount",
    "ApproximateFirstReceiveTimestamp",
    "DeadLetterQueueSourceArn",
    "SequenceNumber",
    "MessageDeduplicationId",
    "MessageGroupId",
    "AWSTraceHeader",
];

impl Api {
    pub async fn receive(&self, input: ReceiveMessage) -> Result<Received, ApiError> {
        let queue = self.queue_of_url(&input.queue_url)?;
        let config = self.store.config(queue);
        let config = config.map_err(|_| ApiError::QueueDoesNotExist)?;
        let most = within(
            "MaxNumberOfMessages",
            input.max_number_of_messages,
            1,
            1..=10,
        )?;
        let most = usize::try_from(most).map_err(|_| ApiError::Internal)?;
        let default = config.visibility_timeout_seconds;
        let visibility = within(
            "VisibilityTimeout",
            input.visibility_timeout,
            default,
            0..=MAX_VISIBILITY,
        )?;
        let wait = within("WaitTimeSeconds", input.wait_time_seconds, 0, 0..=20)?;
        let mut system = input.attribute_names;
        system.extend(input.message_system_attribute_names);
        if let Some(unknown) = system
            .iter()
            .find(|name| !SYSTEM_ATTRIBUTES.contains(&name.as_str()))
        {
            return Err(ApiError::InvalidAttributeName(unknown.clone()));
        }
        let until = Instant::now() + Duration::from_secs(wait);
        let visibility = Duration::from_secs(visibility);
        let received = self.poll(queue, most, visibility, until).await?;
        let messages = received.into_iter().map(|(handout, message)| {
            self.deliver(&handout, message, &system, &input.message_attribute_names)
        });
        Ok(Received {
            messages: messages.collect(),
        })
    }

    /// Receives the messages that are visible, or waits for one.
    async fn poll(
        &self,
        queue: &str,
        most: usize,
        visibility: Duration,
        until: Instant,
    ) -> Result<Vec<(Handout, Message)>, ApiError> {
        let mut stopping = self.stopping.clone();
        loop {
            // Subscribes before it receives, so that no change is missed.
            let changed = self.store.changed.notified();
            let name = queue.to_owned();
            let visibility = if self.store.next_due(queue).is_some_and(is_past)
                && self.faults.inject(fault::DUPLICATE).is_some()
            {
                Duration::ZERO
            } else {
                visibility
            };
            let received = self
                .blocking(move |store| store.receive(&name, most, visibility))
                .await??;
            if !received.is_empty() || is_past(until) {
                return Ok(received);
            }
            let next = self.store.next_due(queue);
            let next = next.map_or(until, |due| due.min(until));
            tokio::select! {
                () = changed => {}
                () = sleep_until(next.into()) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Ok(Vec::new()),
            }
        }
    }

    fn deliver(
        &self,
        handout: &Handout,
        message: Message,
        system: &[String],
        wanted: &[String],
    ) -> Delivery {
        let message_attributes = attributes::select(&message.attributes, wanted);
        Delivery {
            message_id: handout.receipt.id.to_string(),
            receipt_handle: handout.receipt.to_string(),
            md5_of_body: md5_of_body(&message.body),
            body: message.body,
            attributes: self.system_attributes(handout, system),
            md5_of_message_attributes: attributes::md5(&message_attributes),
            message_attributes,
        }
    }

    fn system_attributes(
        &self,
        handout: &Handout,
        wanted: &[String],
    ) -> BTreeMap<&'static str, String> {
        let history = &handout.history;
        let first = history.first_received_ms.unwrap_or_default();
        let mut all = BTreeMap::from([
            // Not the access key id, because that is a secret here.
            ("SenderId", self.account.id.clone()),
            ("SentTimestamp", sent_ms(handout.receipt.id).to_string()),
            ("ApproximateReceiveCount", history.receives.to_string()),
            ("ApproximateFirstReceiveTimestamp", first.to_string()),
        ]);
        if let Some(source) = &history.dead_letter_of {
            all.insert("DeadLetterQueueSourceArn", self.account.arn(source));
        }
        all.retain(|name, _| {
            wanted
                .iter()
                .any(|wanted| wanted == "All" || wanted == name)
        });
        all
    }
}

fn is_past(time: Instant) -> bool {
    time <= Instant::now()
}
