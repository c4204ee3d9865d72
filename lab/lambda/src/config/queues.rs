//! The SQS queues that the host uses.

use std::time::Duration;

use serde::Deserialize;
use server_kit::config::ConfigErrors;
use server_kit::secret::Secret;

/// A queue, and the credentials to use it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// `http://host:port/account/name`.
    pub queue_url: String,
    pub endpoint: String,
    pub access_key_id: String,
    pub secret_access_key: Secret,
}

/// An event source mapping: the function is invoked with a queue's messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventSourceConfig {
    pub queue_url: String,
    pub endpoint: String,
    pub access_key_id: String,
    pub secret_access_key: Secret,
    /// Most messages of one batch. Lambda can collect more than one receive returns; this host does not.
    #[serde(default = "defaults::batch_size")]
    pub batch_size: i32,
    /// Most concurrent invocations by this source.
    #[serde(default = "defaults::maximum_concurrency")]
    pub maximum_concurrency: u32,
    /// Duration of a long poll, in seconds.
    #[serde(default = "defaults::wait_seconds")]
    pub wait_seconds: i32,
    /// Whether the function reports which messages of a batch failed. Otherwise the whole batch succeeds or fails.
    /// Lambda's default is `false`, with which a function that reports failures loses messages.
    #[serde(default = "defaults::report_batch_item_failures")]
    pub report_batch_item_failures: bool,
}

mod defaults {
    pub fn batch_size() -> i32 {
        10
    }

    pub fn maximum_concurrency() -> u32 {
        2
    }

    pub fn wait_seconds() -> i32 {
        20
    }

    pub fn report_batch_item_failures() -> bool {
        true
    }
}

impl QueueConfig {
    /// `arn:aws:sqs:region:account:name`.
    pub fn arn(&self, region: &str) -> String {
        let (rest, name) = self.queue_url.rsplit_once('/').unwrap_or_default();
        let account = rest.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sqs:{region}:{account}:{name}")
    }

    pub(super) fn check(&self, member: &str, mistakes: &mut ConfigErrors) {
        let loopback = |url: &str| {
            let host = url.strip_prefix("http://").unwrap_or_default();
            ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .any(|name| host.starts_with(name))
        };
        if !loopback(&self.endpoint) {
            mistakes.add(format!("{member}.endpoint: http:// and a loopback address"));
        }
        let parts: Vec<_> = self.queue_url.split('/').collect();
        if !loopback(&self.queue_url)
            || parts.len() != 5
            || parts.iter().skip(2).any(|part| part.is_empty())
        {
            mistakes.add(format!(
                "{member}.queue_url: must be a URL such as http://127.0.0.1:9324/000000000000/events"
            ));
        }
        if self.access_key_id.is_empty() || self.secret_access_key.is_empty() {
            mistakes.add(format!(
                "{member}.access_key_id and secret_access_key: must not be empty"
            ));
        }
    }
}

impl EventSourceConfig {
    pub fn queue(&self) -> QueueConfig {
        QueueConfig {
            queue_url: self.queue_url.clone(),
            endpoint: self.endpoint.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
        }
    }

    pub fn wait(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.wait_seconds).unwrap_or_default())
    }

    pub(super) fn check(&self, mistakes: &mut ConfigErrors) {
        self.queue().check("event_source", mistakes);
        let mut within = |member: &str, value: i64, low: u64, high: u64| {
            let value = u64::try_from(value).unwrap_or(u64::MAX);
            mistakes.within(&format!("event_source.{member}"), value, low, high);
        };
        within("batch_size", self.batch_size.into(), 1, 10);
        within(
            "maximum_concurrency",
            self.maximum_concurrency.into(),
            1,
            100,
        );
        within("wait_seconds", self.wait_seconds.into(), 0, 20);
    }
}
