//! The Runtime API, version 2018-06-01, for one environment on a port of its own.
//!
//! As on Lambda, it asks for no credentials, so other programs on this machine could play the function. Web pages
//! cannot: they cannot read an answer, know no request id, and a poll of theirs takes no event away from the function.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::exchange::{Answer, Delivery, Exchange, Refusal};

/// Largest response of a function: 6 MiB and some room for its envelope, as on Lambda.
pub const RESPONSE_BYTES_MAX: usize = (6 << 20) + 100;

/// A listener that stops when dropped. Its connections end with the process that opened them.
#[derive(Debug)]
pub struct RuntimeApi {
    addr: SocketAddr,
    exchange: Arc<Exchange>,
    listener: AbortHandle,
}

impl RuntimeApi {
    pub async fn listen() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        let exchange = Arc::new(Exchange::new());
        let app = router(Arc::clone(&exchange));
        let task = tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            addr,
            exchange,
            listener: task.abort_handle(),
        })
    }

    /// Returns the value of `AWS_LAMBDA_RUNTIME_API`.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

fn router(exchange: Arc<Exchange>) -> Router {
    let runtime = Router::new()
        .route("/invocation/next", get(next))
        .route("/invocation/{request_id}/response", post(response))
        .route("/invocation/{request_id}/error", post(error))
        .route("/init/error", post(init_error));
    Router::new()
        .nest("/2018-06-01/runtime", runtime)
        .with_state(exchange)
}

async fn next(State(exchange): State<Arc<Exchange>>) -> Result<Response, Refusal> {
    Ok(event(&*exchange.next().await?))
}

fn event(delivery: &Delivery) -> Response {
    let headers = [
        (
            "lambda-runtime-aws-request-id",
            delivery.request_id.to_string(),
        ),
        (
            "lambda-runtime-deadline-ms",
            delivery.deadline_ms.to_string(),
        ),
        (
            "lambda-runtime-invoked-function-arn",
            delivery.function_arn.clone(),
        ),
        ("lambda-runtime-trace-id", delivery.trace_id.clone()),
        (header::CONTENT_TYPE.as_str(), "application/json".to_owned()),
    ];
    (
        headers.map(|(name, value)| (name.to_owned(), value)),
        delivery.payload.clone(),
    )
        .into_response()
}

async fn response(
    State(exchange): State<Arc<Exchange>>,
    Path(request_id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    let (answer, status) = match read(body).await {
        Ok(body) => (Answer::Response(body), StatusCode::ACCEPTED),
        Err(StatusCode::PAYLOAD_TOO_LARGE) => (Answer::TooLarge, StatusCode::PAYLOAD_TOO_LARGE),
        Err(status) => return Ok(truncated(status)),
    };
    exchange.answer(&request_id, answer, "InvocationResponse")?;
    Ok(if status == StatusCode::ACCEPTED {
        accepted()
    } else {
        too_large()
    })
}

async fn error(
    State(exchange): State<Arc<Exchange>>,
    Path(request_id): Path<String>,
    body: Body,
) -> Result<Response, Refusal> {
    match read(body).await {
        Ok(body) => exchange.answer(&request_id, Answer::Error(body), "InvocationErrorResponse")?,
        Err(status) => return Ok(truncated(status)),
    }
    Ok(accepted())
}

async fn init_error(
    State(exchange): State<Arc<Exchange>>,
    body: Body,
) -> Result<Response, Refusal> {
    match read(body).await {
        Ok(body) => exchange.init_failed(body)?,
        Err(status) => return Ok(truncated(status)),
    }
    Ok(accepted())
}

async fn read(body: Body) -> Result<Bytes, StatusCode> {
    match Limited::new(body, RESPONSE_BYTES_MAX).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => Err(StatusCode::BAD_REQUEST),
    }
}

fn accepted() -> Response {
    reply(StatusCode::ACCEPTED, &json!({"status": "OK"}))
}

fn too_large() -> Response {
    let message = format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES_MAX} bytes).");
    problem(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        &message,
    )
}

fn truncated(status: StatusCode) -> Response {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    problem(
        status,
        "TruncatedHTTPRequest",
        "HTTP request detected as truncated",
    )
}

fn problem(status: StatusCode, error_type: &str, message: &str) -> Response {
    reply(
        status,
        &json!({"errorType": error_type, "errorMessage": message}),
    )
}

fn reply(status: StatusCode, body: &serde_json::Value) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "application/json")],
        body.to_string(),
    )
        .into_response()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error_type) = match self {
            Self::InvalidRequestId => (StatusCode::BAD_REQUEST, "InvalidRequestID"),
            Self::InvalidTransition { .. } => (StatusCode::FORBIDDEN, "InvalidStateTransition"),
        };
        problem(status, error_type, &self.to_string())
    }
}
