//! A request that is not granted: what the client is told, and what only the log is told.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use payment_core::{ErrorCode, PaymentError, Problem};

use super::media_type;

/// Rendered as `application/problem+json` by the layer around all handlers, which knows the request's id.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub code: ErrorCode,
    /// Explanation for the client. Never text of a driver or an SDK.
    pub detail: Cow<'static, str>,
    pub member: Option<&'static str>,
    /// Seconds after which the same request may succeed.
    pub retry_after: Option<u32>,
    /// Cause, for the log alone.
    pub cause: Option<String>,
}

impl Refusal {
    pub fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            member: None,
            retry_after: code.retry_after_seconds(),
            cause: None,
        }
    }

    /// Refuses a request that has no outcome when its time is up.
    pub fn late(code: ErrorCode) -> Self {
        let detail = "whether it was done is not known; send it again under the same id";
        Self::new(code, detail).because("the deadline passed")
    }

    /// Adds `Retry-After` to an answer that may be another one soon, though its code does not say so.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Notes the cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What stands for an error that is not of our own words, such as axum's own: text, and maybe with something of the
    /// request in it. The pay page's errors are pages, and what a proxy passes on is a problem already.
    pub(super) fn in_place_of(response: &Response) -> Option<Self> {
        let status = response.status();
        let is_error = status.is_client_error() || status.is_server_error();
        let kind = media_type(response.headers()).unwrap_or_default();
        if !is_error || kind == Problem::MEDIA_TYPE || kind == "text/html" {
            return None;
        }
        let code = ErrorCode::ALL
            .into_iter()
            .find(|code| code.status() == status.as_u16());
        let code = code.unwrap_or(ErrorCode::Internal);
        Some(Self::new(code, "see the manual for what this server takes"))
    }

    /// Makes `answer` say so; its other headers stay.
    pub(super) fn render(&self, request_id: &str, answer: &mut Response) {
        let problem = Problem::new(self.code, &*self.detail, request_id).with_member(self.member);
        // A struct of strings and numbers is always JSON.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let (head, body) = self.response(body).into_parts();
        *answer.status_mut() = head.status;
        *answer.body_mut() = body;
        answer.headers_mut().remove(CONTENT_LENGTH);
        answer.headers_mut().extend(head.headers);
        answer
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(Problem::MEDIA_TYPE));
    }

    fn response(&self, body: Vec<u8>) -> Response {
        let status = http::StatusCode::from_u16(self.code.status())
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<PaymentError> for Refusal {
    fn from(error: PaymentError) -> Self {
        Self {
            member: error.member(),
            ..Self::new(error.code(), error.to_string())
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.response(Vec::new());
        response.extensions_mut().insert(self);
        response
    }
}
