//! The Invoke operation.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use tokio::time::timeout;
use uuid::Uuid;

use super::error::ApiError;
use super::{Api, function};
use crate::arn::LATEST;
use crate::function::{Stopped, Throttled};
use crate::invocation::{Invocation, Outcome, Run};
use crate::queue::AcceptError;

/// Lambda's limits for a payload.
const SYNCHRONOUS_BYTES_MAX: usize = 6 << 20;
const ASYNCHRONOUS_BYTES_MAX: usize = 1 << 20;
/// Longest time a request body may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

pub async fn invoke(
    State(api): State<Api>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    function::find(&api, &name)?;
    check_qualifier(&api, &name, uri.query().unwrap_or_default())?;
    let kind = invocation_type(&headers)?;
    let request_id = Uuid::now_v7();
    let payload = payload(body, kind).await?;
    let response = match kind {
        InvocationType::RequestResponse => {
            let tail = headers
                .get("x-amz-log-type")
                .is_some_and(|value| value == "Tail");
            let payload = Bytes::from(String::from(Box::<str>::from(payload)));
            run(
                &api,
                Invocation {
                    request_id,
                    payload,
                },
                tail,
            )
            .await?
        }
        InvocationType::Event => {
            api.queue.accept(request_id, payload).await?;
            StatusCode::ACCEPTED.into_response()
        }
        InvocationType::DryRun => StatusCode::NO_CONTENT.into_response(),
    };
    Ok(with_header(
        response,
        "x-amzn-requestid",
        &request_id.to_string(),
    ))
}

async fn run(api: &Api, invocation: Invocation, tail: bool) -> Result<Response, ApiError> {
    let run = api.function.try_reserve()?.run(invocation).await?;
    let Run {
        outcome, log_tail, ..
    } = run;
    let json = [(header::CONTENT_TYPE, "application/json")];
    let mut response = match outcome {
        Outcome::Success(body) => (json, body).into_response(),
        Outcome::Failure(failure) => with_header(
            (json, failure.body).into_response(),
            "x-amz-function-error",
            "Unhandled",
        ),
    };
    response = with_header(response, "x-amz-executed-version", LATEST);
    if tail {
        response = with_header(response, "x-amz-log-result", &BASE64.encode(log_tail));
    }
    Ok(response)
}

/// Checks the qualifier: there are no versions and no aliases.
fn check_qualifier(api: &Api, name: &str, query: &str) -> Result<(), ApiError> {
    let qualifier = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("Qualifier="));
    let qualifier = percent_decode_str(qualifier.unwrap_or(LATEST)).decode_utf8_lossy();
    if qualifier == LATEST {
        return Ok(());
    }
    let arn = format!("{}:{qualifier}", api.function.arn().of_other(name));
    Err(ApiError::FunctionNotFound { arn })
}

fn invocation_type(headers: &HeaderMap) -> Result<InvocationType, ApiError> {
    let value = headers
        .get("x-amz-invocation-type")
        .map(HeaderValue::as_bytes);
    match value {
        None | Some(b"RequestResponse") => Ok(InvocationType::RequestResponse),
        Some(b"Event") => Ok(InvocationType::Event),
        Some(b"DryRun") => Ok(InvocationType::DryRun),
        Some(other) => Err(ApiError::InvalidParameter {
            name: "X-Amz-Invocation-Type",
            value: String::from_utf8_lossy(other).into_owned(),
            allowed: "RequestResponse, Event, DryRun",
        }),
    }
}

/// Reads the body: JSON, or nothing, which the function sees as `{}`.
async fn payload(body: Body, kind: InvocationType) -> Result<Box<RawValue>, ApiError> {
    let limit = match kind {
        InvocationType::Event => ASYNCHRONOUS_BYTES_MAX,
        InvocationType::RequestResponse | InvocationType::DryRun => SYNCHRONOUS_BYTES_MAX,
    };
    // Reads an event that is too large up to the larger limit, because a client that is still sending would not see the
    // answer.
    let read = Limited::new(body, SYNCHRONOUS_BYTES_MAX).collect();
    let body = match timeout(BODY_TIMEOUT, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(ApiError::TooLarge { limit });
        }
        Ok(Err(error)) => {
            return Err(ApiError::InvalidContent {
                reason: error.to_string(),
            });
        }
        Err(_) => return Err(ApiError::Slow),
    };
    if body.len() > limit {
        return Err(ApiError::TooLarge { limit });
    }
    let json: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(json).map_err(|error| ApiError::InvalidContent {
        reason: error.to_string(),
    })
}

/// Adds a header; skips a value that is not visible ASCII.
fn with_header(mut response: Response, name: &'static str, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}

impl From<Throttled> for ApiError {
    fn from(_: Throttled) -> Self {
        Self::TooManyRequests
    }
}

impl From<Stopped> for ApiError {
    fn from(_: Stopped) -> Self {
        Self::Stopping
    }
}

impl From<AcceptError> for ApiError {
    fn from(error: AcceptError) -> Self {
        match error {
            AcceptError::Full => Self::Service {
                reason: error.to_string(),
            },
            AcceptError::Write(source) => {
                tracing::error!(%source, "an event could not be queued");
                Self::Service {
                    reason: "The event could not be queued".to_owned(),
                }
            }
        }
    }
}
