//! What the app tier answered, and what of it the client may see.

use std::error::Error;
use std::io;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, LOCATION, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_service::http::Refusal;
use payment_core::{ErrorCode, Problem};
use program::chain;

use super::link::CallError;

pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Headers of an answer that the client may see.
const ANSWER_HEADERS: [HeaderName; 4] = [CONTENT_TYPE, LOCATION, RETRY_AFTER, IDEMPOTENT_REPLAYED];

/// An answer of the app tier, or of the load balancer before it.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    /// What the app tier says goes through. What a load balancer says in its place (an HTML page) does not.
    pub(super) fn into_response(self) -> Result<Response, Refusal> {
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

pub(super) const AGAIN: &str =
    "whether the payment was taken is not known; send it again under the same id";

/// Nothing, or not all, came back.
pub(super) fn unreachable(error: &CallError) -> Refusal {
    let code = if is_timeout(error) {
        ErrorCode::UpstreamTimeout
    } else {
        ErrorCode::UpstreamFailed
    };
    Refusal::new(code, AGAIN).because(chain(error))
}

fn is_timeout(error: &CallError) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return error.kind() == io::ErrorKind::TimedOut;
        }
        cause = error.source();
    }
    false
}

/// What came is no answer to the payment.
pub(super) fn broken(status: StatusCode) -> Refusal {
    let code = match status {
        StatusCode::GATEWAY_TIMEOUT => ErrorCode::UpstreamTimeout,
        _ => ErrorCode::UpstreamFailed,
    };
    Refusal::new(code, AGAIN).because(format!("the app tier's load balancer answered {status}"))
}
