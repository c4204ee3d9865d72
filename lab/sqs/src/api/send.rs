//! `SendMessage` and `SendMessageBatch`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::batch::{Batch, Results};
use super::error::ApiError;
use super::{Api, attributes, within};
use crate::store::{Attributes, Message, md5_of_body};

/// Largest size of one message, and of all messages of a batch together, in bytes.
pub const BYTES_MAX: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    outgoing: Outgoing,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Outgoing {
    #[serde(default)]
    message_body: String,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Attributes,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Sent {
    message_id: String,
    #[serde(rename = "MD5OfMessageBody")]
    md5_of_message_body: String,
    #[serde(
        rename = "MD5OfMessageAttributes",
        skip_serializing_if = "Option::is_none"
    )]
    md5_of_message_attributes: Option<String>,
}

/// A validated message.
struct Checked {
    message: Message,
    delay: Duration,
    bytes: usize,
}

impl Api {
    pub async fn send(&self, input: SendMessage) -> Result<Sent, ApiError> {
        let queue = self.queue_of_url(&input.queue_url)?;
        let checked = input.outgoing.check()?;
        let mut sent = self.enqueue(queue, vec![checked]).await?;
        sent.pop().ok_or(ApiError::Internal)
    }

    pub async fn send_batch(&self, batch: Batch<Outgoing>) -> Result<Results<Sent>, ApiError> {
        let queue = self.queue_of_url(&batch.queue_url)?;
        batch.check()?;
        let (mut ids, mut accepted, mut results) = (Vec::new(), Vec::new(), Results::new());
        for entry in batch.entries {
            match entry.input.check() {
                Ok(checked) => {
                    ids.push(entry.id);
                    accepted.push(checked);
                }
                Err(error) => results.add(entry.id, Err(error)),
            }
        }
        if accepted.iter().map(|checked| checked.bytes).sum::<usize>() > BYTES_MAX {
            return Err(ApiError::BatchRequestTooLong { limit: BYTES_MAX });
        }
        let sent = self.enqueue(queue, accepted).await?;
        for (id, sent) in ids.into_iter().zip(sent) {
            results.add(id, Ok(sent));
        }
        Ok(results)
    }

    /// Queues the messages; they are durable when this returns.
    async fn enqueue(&self, queue: &str, messages: Vec<Checked>) -> Result<Vec<Sent>, ApiError> {
        let digests: Vec<_> = messages
            .iter()
            .map(|Checked { message, .. }| {
                let body = md5_of_body(&message.body);
                (body, attributes::md5(&message.attributes))
            })
            .collect();
        let messages = messages
            .into_iter()
            .map(|checked| (checked.message, checked.delay))
            .collect();
        let queue = queue.to_owned();
        let ids = self
            .blocking(move |store| store.send(&queue, messages))
            .await??;
        let sent = ids
            .into_iter()
            .zip(digests)
            .map(|(id, (body, attributes))| Sent {
                message_id: id.to_string(),
                md5_of_message_body: body,
                md5_of_message_attributes: attributes,
            });
        Ok(sent.collect())
    }
}

impl Outgoing {
    fn check(self) -> Result<Checked, ApiError> {
        if self.message_body.is_empty() {
            return Err(ApiError::MissingParameter("MessageBody"));
        }
        if !self.message_body.chars().all(is_allowed) {
            return Err(ApiError::InvalidMessageContents);
        }
        let bytes = self.message_body.len() + attributes::check(&self.message_attributes)?;
        if bytes > BYTES_MAX {
            return Err(ApiError::MessageTooLong { limit: BYTES_MAX });
        }
        let delay = within("DelaySeconds", self.delay_seconds, 0, 0..=900)?;
        Ok(Checked {
            message: Message {
                body: self.message_body,
                attributes: self.message_attributes,
            },
            delay: Duration::from_secs(delay),
            bytes,
        })
    }
}

fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
