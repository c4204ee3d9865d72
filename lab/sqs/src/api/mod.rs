//! The HTTP interface: SQS in the AWS JSON 1.0 protocol, and the lab's own API under `/_lab/`.
//!
//! Every operation needs an Authorization header in Signature Version 4 format with a configured access key id;
//! [`Access`] decides what that caller may do. The id is the secret here, since signatures are not verified: a random
//! id keeps out other users of the machine, and web pages, which cannot send that header to another origin. This is not
//! enough on a network, so the server listens on loopback only.

mod attributes;
mod batch;
mod error;
mod queues;
mod receipts;
mod receive;
mod send;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_kit::fault::Faults;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::access::Access;
use crate::arn::Account;
use crate::fault;
use crate::store::Store;
use error::ApiError;

const CONTENT_TYPE: &str = "application/x-amz-json-1.0";
/// Longest request body: a message of [`send::BYTES_MAX`] in JSON, where two bytes may become `\u00e9`.
const REQUEST_BYTES_MAX: usize = 8 << 20;
/// Longest time a request body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What the operations share.
#[derive(Debug)]
pub struct Api {
    pub account: Account,
    pub access: Access,
    pub store: Arc<Store>,
    pub faults: Faults,
    /// Set at shutdown, which ends long polls.
    pub stopping: watch::Receiver<bool>,
}

/// The empty response.
#[derive(Debug, Serialize)]
pub struct Done {}

pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/_lab/health", get(async || "OK"))
        .route(server_kit::fault::PATH, any(faults))
        .route(
            &format!("{}/{{kind}}", server_kit::fault::PATH),
            any(faults),
        )
        // Some clients call the queue's own URL.
        .fallback(call)
        .with_state(api)
}

async fn faults(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let body = read(body).await?;
    let answer = api
        .faults
        .answer(&parts.method, parts.uri.path(), &parts.headers, &body);
    Ok(answer.map_or_else(
        || StatusCode::NOT_FOUND.into_response(),
        |answer| answer.map(Body::from),
    ))
}

async fn call(State(api): State<Arc<Api>>, request: Request) -> Result<Response, ApiError> {
    let (parts, body) = request.into_parts();
    let caller = api.access.callers.admit(&parts.headers)?;
    let operation = text(&parts.headers, "x-amz-target").unwrap_or_default();
    let operation = operation.strip_prefix("AmazonSQS.").unwrap_or(operation);
    let body = read(body).await?;
    if let Some(pause) = api.faults.inject(fault::SLOW) {
        sleep(pause).await;
    }
    if api.faults.inject(fault::ERROR).is_some() {
        return Err(ApiError::Internal);
    }
    api.access
        .authorize(&caller, operation, &body, &api.account)?;
    let host = text(&parts.headers, header::HOST.as_str()).unwrap_or("localhost");
    let answer = api.operate(operation, host, &body).await;
    let code = answer.as_ref().map_or_else(ApiError::code, |_| "");
    tracing::debug!(operation, code, "request");
    if api.faults.inject(fault::ANSWER_LOST).is_some() {
        return Err(ApiError::Internal);
    }
    let headers = [
        (header::CONTENT_TYPE.as_str(), CONTENT_TYPE.to_owned()),
        ("x-amzn-requestid", Uuid::now_v7().to_string()),
    ];
    Ok((headers, answer?).into_response())
}

impl Api {
    /// To add an operation, add it here and in the module of its group.
    async fn operate(&self, operation: &str, host: &str, body: &[u8]) -> Result<Vec<u8>, ApiError> {
        match operation {
            "SendMessage" => run(body, async |input| self.send(input).await).await,
            "SendMessageBatch" => run(body, async |input| self.send_batch(input).await).await,
            "ReceiveMessage" => run(body, async |input| self.receive(input).await).await,
            "DeleteMessage" => run(body, async |input| self.delete(input).await).await,
            "DeleteMessageBatch" => run(body, async |input| self.delete_batch(input).await).await,
            "ChangeMessageVisibility" => run(body, async |input| self.hide(input).await).await,
            "ChangeMessageVisibilityBatch" => {
                run(body, async |input| self.hide_batch(input).await).await
            }
            "GetQueueUrl" => run(body, async |input| self.queue_url(host, &input)).await,
            "GetQueueAttributes" => run(body, async |input| self.attributes(input).await).await,
            "ListQueues" => run(body, async |input| Ok(self.queues(host, &input))).await,
            "PurgeQueue" => run(body, async |input| self.purge(input).await).await,
            "StartMessageMoveTask" => run(body, async |input| self.redrive(input).await).await,
            other => Err(ApiError::UnknownOperation(other.to_owned())),
        }
    }

    /// Returns the queue name of a URL, if that queue exists.
    fn queue_of_url<'a>(&self, url: &'a str) -> Result<&'a str, ApiError> {
        let queue = self.account.queue_of_url(url);
        self.existing(queue)
    }

    fn existing<'a>(&self, queue: Option<&'a str>) -> Result<&'a str, ApiError> {
        let queue = queue.ok_or(ApiError::QueueDoesNotExist)?;
        match self.store.config(queue) {
            Ok(_) => Ok(queue),
            Err(_) => Err(ApiError::QueueDoesNotExist),
        }
    }

    /// Runs disk work on a thread where blocking is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        act: impl FnOnce(&Store) -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let store = Arc::clone(&self.store);
        spawn_blocking(move || act(&store)).await.map_err(|error| {
            tracing::error!(%error, "an operation broke");
            ApiError::Internal
        })
    }
}

async fn run<I: DeserializeOwned, O: Serialize>(
    body: &[u8],
    operation: impl AsyncFnOnce(I) -> Result<O, ApiError>,
) -> Result<Vec<u8>, ApiError> {
    // The parser's message may quote a value, which may be a message body: report only the position.
    let input = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        ApiError::Malformed(format!("line {line}, column {column}"))
    })?;
    let output = operation(input).await?;
    serde_json::to_vec(&output).map_err(|_| ApiError::Internal)
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    let read = Limited::new(body, REQUEST_BYTES_MAX).collect();
    match timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::MessageTooLong {
            limit: send::BYTES_MAX,
        }),
        Ok(Err(_)) => Err(ApiError::Malformed("the body ended early".into())),
        Err(_) => Err(ApiError::Slow),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Returns the number if it is within bounds, or the default if there is none.
fn within(
    parameter: &'static str,
    value: Option<i64>,
    default: u64,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<u64, ApiError> {
    let Some(value) = value else {
        return Ok(default);
    };
    u64::try_from(value)
        .ok()
        .filter(|value| bounds.contains(value))
        .ok_or_else(|| ApiError::InvalidParameterValue {
            parameter,
            value: value.to_string(),
            reason: "It is out of range.",
        })
}
