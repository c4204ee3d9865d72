//! Forwards dead letters from the local folder to an SQS queue, as Lambda does: the payload as the body, the error in
//! the attributes. A letter stays in the folder until the queue has it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::MessageAttributeValue;
use tokio::sync::watch;
use tokio::time::sleep;
use uuid::Uuid;

use super::{DeadLetter, Queue};
use crate::config::QueueConfig;
use crate::sqs;

/// Delay before a letter that the queue did not take is sent again.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub struct DeadLetterQueue {
    client: Client,
    url: String,
    queue: Arc<Queue>,
}

impl DeadLetterQueue {
    pub fn new(config: &QueueConfig, region: &str, queue: Arc<Queue>) -> Self {
        Self {
            client: sqs::client(config, region, Duration::ZERO),
            url: config.queue_url.clone(),
            queue,
        }
    }

    /// Sends letters, those of earlier runs first, until `stopping`.
    pub async fn run(self, mut stopping: watch::Receiver<bool>) {
        tokio::select! {
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = self.send_all() => {}
        }
    }

    async fn send_all(&self) {
        loop {
            // Subscribes before it lists, so that no letter is missed.
            let dead_letter_added = self.queue.dead_letter_added.notified();
            let mut left = false;
            for id in self.queue.dead_ids() {
                left |= !self.hand_over(id).await;
            }
            if left {
                sleep(RETRY).await;
            } else {
                dead_letter_added.await;
            }
        }
    }

    /// Sends one letter; returns `false` if it is still here.
    async fn hand_over(&self, id: Uuid) -> bool {
        match self.try_hand_over(id).await {
            Ok(sent) => sent,
            Err(error) => {
                tracing::error!(request_id = %id, %error, "a dead letter's file cannot be used; trying again");
                false
            }
        }
    }

    async fn try_hand_over(&self, id: Uuid) -> io::Result<bool> {
        if let Some(letter) = self.queue.dead_letter(id).await?
            && !self.send(&letter).await
        {
            return Ok(false);
        }
        self.queue.forget_dead(id).await?;
        Ok(true)
    }

    async fn send(&self, letter: &DeadLetter) -> bool {
        let request = self.client.send_message().queue_url(&self.url);
        let mut request = request.message_body(letter.payload.get());
        let code = letter.error_code.to_string();
        for (name, data_type, value) in [
            ("RequestID", "String", letter.request_id.clone()),
            ("ErrorCode", "Number", code),
            ("ErrorMessage", "String", printable(&letter.error_message)),
        ] {
            let attribute = MessageAttributeValue::builder()
                .data_type(data_type)
                .string_value(&value)
                .build();
            // The queue refuses empty values.
            if let (Ok(attribute), false) = (attribute, value.is_empty()) {
                request = request.message_attributes(name, attribute);
            }
        }
        let sent = request.send().await;
        if let Err(error) = &sent {
            let (request_id, error) = (&letter.request_id, DisplayErrorContext(error));
            tracing::warn!(request_id, %error, "the queue did not take a dead letter; trying again");
        }
        sent.is_ok()
    }
}

/// Removes the characters that a queue refuses.
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !c.is_whitespace(), " ")
}
