//! An event source mapping: polls an SQS queue and invokes the function with its messages.
//!
//! A message is deleted only after the function has succeeded with it. All others become visible again after the
//! queue's visibility timeout, so nothing is lost, whenever this stops.

mod event;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName};
use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use uuid::Uuid;

use crate::config::EventSourceConfig;
use crate::function::{Function, Stopped};
use crate::invocation::{Invocation, Outcome};
use crate::sqs;
use event::{Event, Record};

/// Delay after a failed poll.
const POLL_RETRY: Duration = Duration::from_secs(1);
/// Lambda's limit for a synchronous payload.
const PAYLOAD_BYTES_MAX: usize = 6 << 20;

#[derive(Debug)]
pub struct EventSource {
    client: Client,
    config: EventSourceConfig,
    arn: String,
    region: String,
    function: Arc<Function>,
}

impl EventSource {
    pub fn new(config: EventSourceConfig, region: String, function: Arc<Function>) -> Self {
        let queue = config.queue();
        Self {
            client: sqs::client(&queue, &region, config.wait()),
            arn: queue.arn(&region),
            config,
            region,
            function,
        }
    }

    /// Polls until `stopping`, then waits for the invocations in flight.
    pub async fn run(self, stopping: watch::Receiver<bool>) {
        let source = Arc::new(self);
        let mut pollers = JoinSet::new();
        for _ in 0..source.config.maximum_concurrency {
            pollers.spawn(Arc::clone(&source).poll(stopping.clone()));
        }
        while pollers.join_next().await.is_some() {}
    }

    async fn poll(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        loop {
            let messages = tokio::select! {
                biased;
                _ = stopping.wait_for(|stopping| *stopping) => return,
                messages = self.receive() => messages,
            };
            let Ok(messages) = messages else { return };
            for batch in self.split(&messages) {
                if let Err(Stopped) = self.handle(batch).await {
                    return;
                }
            }
        }
    }

    /// Waits for a free concurrency slot before it polls: while the function is throttled, messages stay in the queue.
    async fn receive(&self) -> Result<Vec<Message>, Stopped> {
        drop(self.function.reserve().await?);
        let poll = self
            .client
            .receive_message()
            .queue_url(&self.config.queue_url)
            .max_number_of_messages(self.config.batch_size)
            .wait_time_seconds(self.config.wait_seconds)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        match poll.send().await {
            Ok(received) => Ok(received.messages.unwrap_or_default()),
            Err(error) => {
                let error = DisplayErrorContext(&error);
                tracing::warn!(queue = self.arn, %error, "the queue was not polled; trying again");
                sleep(POLL_RETRY).await;
                Ok(Vec::new())
            }
        }
    }

    /// Splits messages into batches whose payloads fit.
    fn split<'a>(&self, messages: &'a [Message]) -> Vec<&'a [Message]> {
        let mut batches = Vec::new();
        let (mut start, mut bytes) = (0, 0);
        for (index, message) in messages.iter().enumerate() {
            let record = Record::new(message, &self.arn, &self.region);
            // Leaves room for what stands between and around the records.
            let size = serde_json::to_vec(&record).map_or(0, |json| json.len()) + 100;
            if bytes + size > PAYLOAD_BYTES_MAX && index > start {
                batches.push(&messages[start..index]);
                (start, bytes) = (index, 0);
            }
            bytes += size;
        }
        if start < messages.len() {
            batches.push(&messages[start..]);
        }
        batches
    }

    async fn handle(&self, batch: &[Message]) -> Result<(), Stopped> {
        let invocation = Invocation {
            request_id: Uuid::now_v7(),
            payload: self.payload(batch),
        };
        let run = self.function.reserve().await?.run(invocation).await?;
        if let Outcome::Success(answer) = run.outcome {
            self.delete(batch, &answer).await;
        }
        Ok(())
    }

    fn payload(&self, batch: &[Message]) -> Bytes {
        let records = batch
            .iter()
            .map(|message| Record::new(message, &self.arn, &self.region));
        let event = Event {
            records: records.collect(),
        };
        // Text and maps with text keys always serialize.
        serde_json::to_vec(&event).unwrap_or_default().into()
    }

    /// Deletes the messages that succeeded.
    async fn delete(&self, batch: &[Message], answer: &[u8]) {
        let ids: HashSet<_> = batch.iter().filter_map(Message::message_id).collect();
        let failed = if self.config.report_batch_item_failures {
            event::failed(answer, &ids)
        } else {
            Some(HashSet::new())
        };
        let Some(failed) = failed else {
            tracing::warn!(
                queue = self.arn,
                "cannot parse the function's report of failed messages: all count as failed"
            );
            return;
        };
        let done = batch
            .iter()
            .filter(|message| !failed.contains(message.message_id().unwrap_or_default()));
        let entries: Vec<_> = done
            .enumerate()
            .filter_map(|(index, message)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(message.receipt_handle()?)
                    .build()
                    .ok()
            })
            .collect();
        if entries.is_empty() {
            return;
        }
        let request = self.client.delete_message_batch();
        let request = request.queue_url(&self.config.queue_url);
        // Messages that are not deleted are delivered again, which the function must handle in any case.
        match request.set_entries(Some(entries)).send().await {
            Ok(deleted) if deleted.failed().is_empty() => {}
            Ok(deleted) => {
                let failed = deleted.failed().len();
                tracing::warn!(
                    queue = self.arn,
                    failed,
                    "messages were not deleted and will be delivered again"
                );
            }
            Err(error) => {
                let error = DisplayErrorContext(&error);
                tracing::warn!(queue = self.arn, %error, "messages were not deleted and come again");
            }
        }
    }
}
