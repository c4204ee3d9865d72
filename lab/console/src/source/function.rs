//! What the lab's Lambda tells of the function, and SQS of what the function gave up.

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_sqs::{Client, Config};
use aws_smithy_http_client::Builder;
use http::header::AUTHORIZATION;
use lab_runner::lab::{Lab, REGION};
use lab_runner::part::lambda::authorization;
use lab_runner::part::{PartName, sqs};
use serde::Deserialize;

use super::{Away, PATIENCE};
use crate::server::Console;

/// The function at one moment.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Function {
    pub function: String,
    /// Events that wait.
    pub queued: u64,
    pub running: u64,
    pub counts: Counts,
    pub environments: Vec<Environment>,
    /// Newest first.
    pub recent: Vec<Run>,
}

/// Since the host was started.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Counts {
    pub invocations: u64,
    pub errors: u64,
    pub timeouts: u64,
    pub cold_starts: u64,
    pub throttles: u64,
    pub dead_letters: u64,
    pub billed_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Environment {
    pub log_stream: String,
    pub pid: i32,
    pub state: String,
    pub since: String,
    pub invocations: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Run {
    pub request_id: String,
    pub ended_at: String,
    pub duration_ms: u64,
    pub billed_ms: u64,
    pub outcome: String,
    pub cold: bool,
    pub max_memory_mb: u64,
}

impl Function {
    pub async fn of(console: &Console) -> Result<Self, Away> {
        let url = format!("{}/_lab/status", console.lab.url(PartName::Lambda));
        let key = &console.lab.credentials.aws.operator.id;
        let request = console
            .http
            .get(url)
            .header(AUTHORIZATION, authorization(key));
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

/// The lab's queues, for the operator.
pub fn queues(lab: &Lab) -> Client {
    let key = &lab.credentials.aws.operator;
    let timeouts = TimeoutConfig::builder().operation_timeout(PATIENCE);
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(lab.url(PartName::Sqs))
        .credentials_provider(Credentials::from_keys(&key.id, key.secret.expose(), None))
        .timeout_config(timeouts.build())
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Messages that wait in a queue of the lab.
pub async fn waiting(queue: &str, console: &Console) -> Result<u64, Away> {
    let url = sqs::queue_url(&console.lab, queue);
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let request = console.queues.get_queue_attributes().queue_url(url);
    let answer = request.attribute_names(name.clone()).send().await;
    let answer = answer.map_err(|error| Away(DisplayErrorContext(&error).to_string()))?;
    let value = answer
        .attributes()
        .and_then(|all| all.get(&name)?.parse().ok());
    value.ok_or_else(|| Away("SQS does not tell how many messages wait".to_owned()))
}
