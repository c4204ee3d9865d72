//! The function's state from the lab's Lambda, and its dead letters from SQS.

use aws_credential_types::Credentials;
use aws_sdk_sqs::config::{BehaviorVersion, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_sdk_sqs::{Client, Config};
use aws_smithy_http_client::Builder;
use http::Request;
use http::header::AUTHORIZATION;
use http_body_util::Full;
use lab_runner::http::{CallError, Client as HttpClient};
use lab_runner::lab::{Lab, REGION};
use lab_runner::part::lambda::authorization;
use lab_runner::part::{PartName, sqs};
use serde::Deserialize;

use super::{Away, TIMEOUT, within};

/// A snapshot of the function.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Function {
    pub function: String,
    /// Number of queued events.
    pub queued: u64,
    pub running: u64,
    pub counts: Counts,
    pub environments: Vec<Environment>,
    /// Newest first.
    pub recent: Vec<Run>,
}

/// Counts since the host started.
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
    pub async fn of(http: &HttpClient, lab: &Lab) -> Result<Self, Away> {
        let url = format!("{}/_lab/status", lab.url(PartName::Lambda));
        let key = &lab.credentials.aws.operator.id;
        let request = Request::get(url).header(AUTHORIZATION, authorization(key));
        let request = request.body(Full::default()).map_err(CallError::Request)?;
        let answer = http.call(request).await?;
        if !answer.status.is_success() {
            return Err(Away(format!("answers {}", answer.status)));
        }
        Ok(serde_json::from_str(&answer.body).map_err(CallError::Json)?)
    }
}

/// An SQS client for the lab's queues, as the operator.
pub fn queues(lab: &Lab) -> Client {
    let key = &lab.credentials.aws.operator;
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(lab.url(PartName::Sqs))
        .credentials_provider(Credentials::from_keys(&key.id, key.secret.expose(), None))
        .http_client(Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

/// Returns the number of messages waiting in a queue.
pub async fn waiting(queue: &str, queues: &Client, lab: &Lab) -> Result<u64, Away> {
    let url = sqs::queue_url(lab, queue);
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    let request = queues.get_queue_attributes().queue_url(url);
    let answer = within(TIMEOUT, request.attribute_names(name.clone()).send()).await?;
    let value = answer
        .attributes()
        .and_then(|all| all.get(&name)?.parse().ok());
    value.ok_or_else(|| Away("SQS does not tell how many messages wait".to_owned()))
}
