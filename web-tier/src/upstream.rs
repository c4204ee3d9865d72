//! The app tier, as the web tier sees it: one pool of connections to the internal load balancer.
//!
//! Headers go through by an allow-list in both directions. A POST is sent a second time only where nothing of it
//! was sent, or where the payment has an id, which makes a repeat safe (promise P4). What is then said to the repeat
//! is passed on only where it is true of both.

use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use http::{HeaderMap, Method, StatusCode};
use payment_core::{ErrorCode, PaymentId, Problem};
use reqwest::Url;
use serde::Deserialize;
use tier_kit::http::{REQUEST_ID, Refusal, RequestContext, TRACEPARENT};
use tier_kit::telemetry::chain;

use crate::config::Origin;

pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Headers of an answer that the client may see.
const ANSWER_HEADERS: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, RETRY_AFTER, IDEMPOTENT_REPLAYED];

const CONNECT: Duration = Duration::from_secs(1);

/// Idle connections are given up before the load balancer gives them up (ALB: 60 s), which would break a POST
/// that is just being sent.
const POOL_IDLE: Duration = Duration::from_secs(30);

const POOL_IDLE_MAX: usize = 1024;

/// Largest answer that the app tier gives, with room to spare.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

#[derive(Debug, Clone)]
pub struct Upstream {
    client: reqwest::Client,
    origin: Origin,
}

#[derive(Debug, thiserror::Error)]
#[error("the HTTP client can't be made")]
pub struct ClientError(#[from] reqwest::Error);

/// One request to the app tier.
struct Call<'a> {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: &'a Bytes,
}

/// An answer of the app tier, or of the load balancer before it.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Upstream {
    pub fn new(origin: &Origin) -> Result<Self, ClientError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(POOL_IDLE_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only()
            .build()?;
        Ok(Self {
            client,
            origin: origin.clone(),
        })
    }

    /// Hands a payment on. `key` is the client's header Idempotency-Key.
    pub async fn process(
        &self,
        context: &RequestContext,
        key: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<Response, Refusal> {
        let mut headers = headers_of(context);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = key {
            headers.insert(IDEMPOTENCY_KEY, key.clone());
        }
        let call = Call {
            method: Method::POST,
            url: self.origin.with_path("/process"),
            headers,
            body,
        };
        self.forward(call, || key.is_some() || has_id(body)).await
    }

    pub async fn status(
        &self,
        context: &RequestContext,
        id: &PaymentId,
    ) -> Result<Response, Refusal> {
        let url = self.origin.with_path(&format!("/process/{id}"));
        let call = Call {
            method: Method::GET,
            url,
            headers: headers_of(context),
            body: &Bytes::new(),
        };
        self.forward(call, || true).await
    }

    async fn forward(
        &self,
        call: Call<'_>,
        may_repeat: impl Fn() -> bool,
    ) -> Result<Response, Refusal> {
        let first = self.send(&call).await;
        let answer = match first {
            Ok(answer) if answer.status == StatusCode::BAD_GATEWAY && may_repeat() => {
                self.repeat(&call).await?
            }
            // Nothing of it was sent.
            Err(error) if error.is_connect() => {
                self.send(&call).await.map_err(|e| unreachable(&e))?
            }
            Err(error) if may_repeat() => {
                tracing::debug!(error = chain(&error), "sending again");
                self.repeat(&call).await?
            }
            answer => answer.map_err(|e| unreachable(&e))?,
        };
        answer.into_response()
    }

    /// Sends again what may have arrived. A no to the repeat is no answer to a payment: the first may have been
    /// taken, and then another node took other content under the same id, to which it holds (promise P6).
    async fn repeat(&self, call: &Call<'_>) -> Result<Answer, Refusal> {
        let answer = self.send(call).await.map_err(|e| unreachable(&e))?;
        if call.method == Method::POST && answer.status.is_client_error() {
            return Err(broken(answer.status));
        }
        Ok(answer)
    }

    async fn send(&self, call: &Call<'_>) -> Result<Answer, reqwest::Error> {
        let request = self
            .client
            .request(call.method.clone(), call.url.clone())
            .headers(call.headers.clone())
            .body(call.body.clone());
        let mut response = request.send().await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                break;
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body: body.freeze(),
        })
    }
}

impl Answer {
    /// What the app tier says goes through. What a load balancer says in its place (an HTML page) does not.
    fn into_response(self) -> Result<Response, Refusal> {
        let is_problem = self
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|t| t == Problem::MEDIA_TYPE);
        let own_word = self.status.is_success() || is_problem;
        if !own_word || self.status == StatusCode::INTERNAL_SERVER_ERROR {
            return Err(broken(self.status));
        }
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        for name in ANSWER_HEADERS {
            if let Some(value) = self.headers.get(&name) {
                response.headers_mut().insert(name, value.clone());
            }
        }
        Ok(response)
    }
}

fn headers_of(context: &RequestContext) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // Both were checked to hold ASCII alone.
    if let Ok(value) = HeaderValue::from_str(context.request_id.as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    if let Some(traceparent) = &context.traceparent
        && let Ok(value) = HeaderValue::from_str(traceparent.as_str())
    {
        headers.insert(TRACEPARENT, value);
    }
    headers
}

/// Whether the body gives an id. Looked at only once a request has failed.
fn has_id(body: &Bytes) -> bool {
    #[derive(Deserialize)]
    struct Id {
        id: Option<String>,
    }
    serde_json::from_slice::<Id>(body).is_ok_and(|body| body.id.is_some())
}

const AGAIN: &str = "whether the payment was taken is not known; send it again under the same id";

fn unreachable(error: &reqwest::Error) -> Refusal {
    let code = if error.is_timeout() {
        ErrorCode::UpstreamTimeout
    } else {
        ErrorCode::UpstreamFailed
    };
    Refusal::new(code, AGAIN).because(chain(error))
}

fn broken(status: StatusCode) -> Refusal {
    let code = match status {
        StatusCode::GATEWAY_TIMEOUT => ErrorCode::UpstreamTimeout,
        _ => ErrorCode::UpstreamFailed,
    };
    Refusal::new(code, AGAIN).because(format!("the app tier's load balancer answered {status}"))
}
