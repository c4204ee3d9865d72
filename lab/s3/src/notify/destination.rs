//! Destinations of events.

use std::sync::Arc;

use bytes::Bytes;

use super::api::{Api, DeliveryError};
use super::{lambda, sqs};

#[derive(Clone, Debug)]
pub enum Destination {
    /// A function, invoked asynchronously.
    Lambda {
        arn: String,
        function: String,
        api: Arc<Api>,
    },
    /// A queue, which gets a message for each event.
    Sqs {
        arn: String,
        url: String,
        api: Arc<Api>,
    },
}

impl Destination {
    /// Returns `None` if `arn` is not `arn:aws:lambda:<region>:<account>:function:<name>`.
    pub fn function_name(arn: &str) -> Option<&str> {
        let parts: Vec<_> = arn.split(':').collect();
        match parts[..] {
            ["arn", "aws", "lambda", _, _, "function", name] => Some(name),
            _ => None,
        }
    }

    /// Returns the path of the queue's URL; `None` if `arn` is not `arn:aws:sqs:<region>:<account>:<name>`, or names a
    /// FIFO queue, which S3 does not support.
    pub fn queue_path(arn: &str) -> Option<String> {
        const FIFO: &str = ".fifo";
        let parts: Vec<_> = arn.split(':').collect();
        match parts[..] {
            ["arn", "aws", "sqs", _, account, name] if !name.ends_with(FIFO) => {
                Some(format!("/{account}/{name}"))
            }
            _ => None,
        }
    }

    pub fn arn(&self) -> &str {
        match self {
            Self::Lambda { arn, .. } | Self::Sqs { arn, .. } => arn,
        }
    }

    /// Whether S3 sends the destination a test message. It does so for queues, not for functions.
    pub fn gets_test_events(&self) -> bool {
        matches!(self, Self::Sqs { .. })
    }

    /// Returns once the destination has taken the event.
    pub async fn deliver(&self, event: Bytes) -> Result<(), DeliveryError> {
        match self {
            Self::Lambda { function, api, .. } => lambda::invoke(api, function, event).await,
            Self::Sqs { url, api, .. } => sqs::send(api, url, &event).await,
        }
    }
}
