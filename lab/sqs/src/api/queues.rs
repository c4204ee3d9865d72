//! Operations on queues as a whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::error::ApiError;
use super::{Api, Done, send};
use crate::config::QueueConfig;
use crate::store::Depth;

/// Largest page of `ListQueues`.
const PAGE_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueUrl {
    queue_name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueUrl {
    queue_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListQueues {
    #[serde(default)]
    queue_name_prefix: String,
    max_results: Option<usize>,
    #[serde(default)]
    next_token: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Queues {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queue_urls: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueueAttributes {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'static str, String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PurgeQueue {
    queue_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StartMessageMoveTask {
    source_arn: String,
    destination_arn: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MoveTask {
    task_handle: String,
}

impl Api {
    pub fn queue_url(&self, host: &str, input: &GetQueueUrl) -> Result<QueueUrl, ApiError> {
        let queue = self.existing(Some(&input.queue_name))?;
        Ok(QueueUrl {
            queue_url: self.account.url(host, queue),
        })
    }

    pub fn queues(&self, host: &str, input: &ListQueues) -> Queues {
        let most = input.max_results.unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
        let mut names = self.store.names();
        names.retain(|name| name.starts_with(&input.queue_name_prefix) && *name > input.next_token);
        // The token is the last name of the previous page; names are sorted.
        let more = names.len() > most;
        names.truncate(most);
        Queues {
            next_token: names.last().filter(|_| more).cloned(),
            queue_urls: names
                .iter()
                .map(|name| self.account.url(host, name))
                .collect(),
        }
    }

    pub async fn attributes(&self, input: GetQueueAttributes) -> Result<QueueAttributes, ApiError> {
        let queue = self.queue_of_url(&input.queue_url)?.to_owned();
        let config = self.store.config(&queue);
        let config = config.map_err(|_| ApiError::QueueDoesNotExist)?;
        let depth = self.blocking(move |store| store.depth(&queue)).await??;
        let mut attributes = self.all_attributes(&config, depth);
        let wanted = &input.attribute_names;
        if let Some(unknown) = wanted
            .iter()
            .find(|name| *name != "All" && !is_attribute(name))
        {
            return Err(ApiError::InvalidAttributeName(unknown.clone()));
        }
        attributes.retain(|name, _| {
            wanted
                .iter()
                .any(|wanted| wanted == "All" || wanted == name)
        });
        Ok(QueueAttributes { attributes })
    }

    pub async fn purge(&self, input: PurgeQueue) -> Result<Done, ApiError> {
        let queue = self.queue_of_url(&input.queue_url)?.to_owned();
        tracing::info!(queue, "purged");
        self.blocking(move |store| store.purge(&queue)).await??;
        Ok(Done {})
    }

    /// Moves the messages that are visible now; the task is complete when this returns.
    pub async fn redrive(&self, input: StartMessageMoveTask) -> Result<MoveTask, ApiError> {
        let from = self.account.queue_of_arn(&input.source_arn);
        let from = self.existing(from)?.to_owned();
        if !self.store.takes_dead_letters(&from) {
            return Err(ApiError::UnsupportedOperation(
                "Source queue must be configured as a Dead Letter Queue.",
            ));
        }
        let to = match &input.destination_arn {
            Some(arn) => Some(self.existing(self.account.queue_of_arn(arn))?.to_owned()),
            None => None,
        };
        let queue = from.clone();
        let moved = self
            .blocking(move |store| store.redrive(&from, to.as_deref()))
            .await??;
        tracing::info!(queue, moved, "dead letters moved");
        Ok(MoveTask {
            task_handle: Uuid::now_v7().to_string(),
        })
    }

    fn all_attributes(&self, config: &QueueConfig, depth: Depth) -> BTreeMap<&'static str, String> {
        let mut attributes = BTreeMap::from([
            ("QueueArn", self.account.arn(&config.name)),
            ("ApproximateNumberOfMessages", depth.visible.to_string()),
            (
                "ApproximateNumberOfMessagesNotVisible",
                depth.in_flight.to_string(),
            ),
            (
                "ApproximateNumberOfMessagesDelayed",
                depth.delayed.to_string(),
            ),
            (
                "VisibilityTimeout",
                config.visibility_timeout_seconds.to_string(),
            ),
            (
                "MessageRetentionPeriod",
                config.retention_seconds.to_string(),
            ),
            ("MaximumMessageSize", send::BYTES_MAX.to_string()),
            ("DelaySeconds", "0".to_owned()),
            ("ReceiveMessageWaitTimeSeconds", "0".to_owned()),
        ]);
        if let Some(redrive) = &config.redrive {
            let policy = json!({
                "deadLetterTargetArn": self.account.arn(&redrive.dead_letter_queue),
                "maxReceiveCount": redrive.max_receive_count,
            });
            attributes.insert("RedrivePolicy", policy.to_string());
        }
        attributes
    }
}

/// Whether SQS knows an attribute of this name. Not all of them have a value here.
fn is_attribute(name: &str) -> bool {
    const NAMES: [&str; 17] = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "DelaySeconds",
        "KmsDataKeyReusePeriodSeconds",
        "KmsMasterKeyId",
        "LastModifiedTimestamp",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "Policy",
        "QueueArn",
        "ReceiveMessageWaitTimeSeconds",
        "RedriveAllowPolicy",
        "RedrivePolicy",
        "SqsManagedSseEnabled",
        "VisibilityTimeout",
    ];
    NAMES.contains(&name)
}
