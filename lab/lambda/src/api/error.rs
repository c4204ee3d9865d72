//! Errors in the format of Lambda's API.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Map, Value};
use server_kit::caller::AuthError;
use server_kit::role::Denied;
use uuid::Uuid;

/// Why a request was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    AccessDenied(#[from] Denied),
    #[error("Function not found: {arn}")]
    FunctionNotFound { arn: String },
    #[error("Dead letter not found: {id}")]
    DeadLetterNotFound { id: String },
    #[error("Unknown operation: {path}")]
    UnknownOperation { path: String },
    #[error("Rate Exceeded.")]
    TooManyRequests,
    #[error("Could not parse request body into json: {reason}")]
    InvalidContent { reason: String },
    #[error("{name}: {value} is not one of {allowed}")]
    InvalidParameter {
        name: &'static str,
        value: String,
        allowed: &'static str,
    },
    #[error("Request must be smaller than {limit} bytes for the InvokeFunction operation")]
    TooLarge { limit: usize },
    #[error("The request's body did not arrive within 30 s")]
    Slow,
    /// The host is shutting down.
    #[error("The host is shutting down; call again once it is back")]
    Stopping,
    #[error("{reason}")]
    Service { reason: String },
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Auth(error) => (
                StatusCode::FORBIDDEN,
                match error {
                    AuthError::Missing => "MissingAuthenticationTokenException",
                    AuthError::Incomplete => "IncompleteSignatureException",
                    AuthError::Unknown => "UnrecognizedClientException",
                },
            ),
            Self::AccessDenied(_) => (StatusCode::FORBIDDEN, "AccessDeniedException"),
            Self::FunctionNotFound { .. } | Self::DeadLetterNotFound { .. } => {
                (StatusCode::NOT_FOUND, "ResourceNotFoundException")
            }
            Self::UnknownOperation { .. } => (StatusCode::NOT_FOUND, "UnknownOperationException"),
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            Self::InvalidContent { .. } => {
                (StatusCode::BAD_REQUEST, "InvalidRequestContentException")
            }
            Self::InvalidParameter { .. } => {
                (StatusCode::BAD_REQUEST, "InvalidParameterValueException")
            }
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException"),
            Self::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "ServiceException"),
            Self::Service { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "ServiceException"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, error_type) = self.parts();
        // Lambda's model spells this member in both ways.
        let message = match error_type {
            "ResourceNotFoundException" | "ServiceException" | "AccessDeniedException" => "Message",
            _ => "message",
        };
        let side = if status.is_server_error() {
            "Service"
        } else {
            "User"
        };
        let mut body = Map::from_iter([
            ("Type".to_owned(), Value::from(side)),
            (message.to_owned(), Value::from(self.to_string())),
        ]);
        let throttled = matches!(self, Self::TooManyRequests);
        if throttled {
            let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
            body.insert("Reason".to_owned(), reason.into());
        }
        let headers = [
            (header::CONTENT_TYPE.as_str(), "application/json".to_owned()),
            ("x-amzn-errortype", error_type.to_owned()),
            ("x-amzn-requestid", Uuid::now_v7().to_string()),
        ];
        let mut response = (status, headers, Value::from(body).to_string()).into_response();
        if throttled || status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, http::HeaderValue::from_static("1"));
        }
        response
    }
}
