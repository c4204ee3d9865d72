//! Errors in the format of SQS's JSON protocol.

use std::io;

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::json;
use server_kit::caller::AuthError;
use server_kit::role::Denied;
use uuid::Uuid;

/// Why a request, or an entry of a batch, was refused.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    AccessDenied(#[from] Denied),
    #[error("The lab's SQS does not support the operation {0}")]
    UnknownOperation(String),
    #[error("The request does not match the operation's format: {0}")]
    Malformed(String),
    #[error("The request's body did not arrive within 30 s")]
    Slow,
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("Value {value} for parameter {parameter} is invalid. Reason: {reason}")]
    InvalidParameterValue {
        parameter: &'static str,
        value: String,
        reason: &'static str,
    },
    #[error("The request must contain the parameter {0}.")]
    MissingParameter(&'static str),
    #[error(
        "One or more parameters cannot be validated. Reason: Message must be shorter than {limit} bytes."
    )]
    MessageTooLong { limit: usize },
    #[error(
        "The message contains characters outside the allowed set: #x9, #xA, #xD, #x20 to #xD7FF, #xE000 to #xFFFD, \
         #x10000 to #x10FFFF"
    )]
    InvalidMessageContents,
    #[error("The input receipt handle is invalid.")]
    ReceiptHandleIsInvalid,
    #[error("The message referred to isn't in flight.")]
    MessageNotInflight,
    #[error("There should be at least one entry in the request.")]
    EmptyBatchRequest,
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntriesInBatchRequest(usize),
    #[error("Two or more batch entries in the request have the same Id.")]
    BatchEntryIdsNotDistinct,
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 \
         letters long."
    )]
    InvalidBatchEntryId,
    #[error("Batch requests cannot be longer than {limit} bytes.")]
    BatchRequestTooLong { limit: usize },
    #[error("Unknown Attribute {0}.")]
    InvalidAttributeName(String),
    #[error("{0}")]
    UnsupportedOperation(&'static str),
    /// The reason is in the log.
    #[error("We encountered an internal error. Please try again.")]
    Internal,
}

impl ApiError {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Auth(AuthError::Missing) => "MissingAuthenticationToken",
            Self::Auth(AuthError::Incomplete) => "IncompleteSignature",
            Self::Auth(AuthError::Unknown) => "InvalidClientTokenId",
            Self::AccessDenied(_) => "AccessDenied",
            Self::UnknownOperation(_) => "UnknownOperationException",
            Self::Malformed(_) => "SerializationException",
            Self::Slow => "RequestTimeout",
            Self::QueueDoesNotExist => "QueueDoesNotExist",
            Self::InvalidParameterValue { .. } | Self::MessageTooLong { .. } => {
                "InvalidParameterValue"
            }
            Self::MissingParameter(_) => "MissingParameter",
            Self::InvalidMessageContents => "InvalidMessageContents",
            Self::ReceiptHandleIsInvalid => "ReceiptHandleIsInvalid",
            Self::MessageNotInflight => "MessageNotInflight",
            Self::EmptyBatchRequest => "EmptyBatchRequest",
            Self::TooManyEntriesInBatchRequest(_) => "TooManyEntriesInBatchRequest",
            Self::BatchEntryIdsNotDistinct => "BatchEntryIdsNotDistinct",
            Self::InvalidBatchEntryId => "InvalidBatchEntryId",
            Self::BatchRequestTooLong { .. } => "BatchRequestTooLong",
            Self::InvalidAttributeName(_) => "InvalidAttributeName",
            Self::UnsupportedOperation(_) => "UnsupportedOperation",
            Self::Internal => "InternalFailure",
        }
    }

    /// Returns the error code of SQS's older query protocol, by which the SDKs still distinguish errors.
    fn query_code(&self) -> String {
        match self {
            Self::QueueDoesNotExist => "AWS.SimpleQueueService.NonExistentQueue".to_owned(),
            Self::MessageNotInflight
            | Self::EmptyBatchRequest
            | Self::TooManyEntriesInBatchRequest(_)
            | Self::BatchEntryIdsNotDistinct
            | Self::InvalidBatchEntryId
            | Self::BatchRequestTooLong { .. }
            | Self::UnsupportedOperation(_) => format!("AWS.SimpleQueueService.{}", self.code()),
            _ => self.code().to_owned(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Auth(_) | Self::AccessDenied(_) => StatusCode::FORBIDDEN,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether the caller is at fault, not the server.
    pub fn is_senders(&self) -> bool {
        !self.status().is_server_error()
    }
}

impl From<io::Error> for ApiError {
    fn from(error: io::Error) -> Self {
        tracing::error!(%error, "a queue's folder cannot be used");
        Self::Internal
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({
            "__type": format!("com.amazonaws.sqs#{}", self.code()),
            "message": self.to_string(),
        });
        let side = if self.is_senders() {
            "Sender"
        } else {
            "Receiver"
        };
        let headers = [
            (
                header::CONTENT_TYPE.as_str(),
                super::CONTENT_TYPE.to_owned(),
            ),
            ("x-amzn-requestid", Uuid::now_v7().to_string()),
            (
                "x-amzn-query-error",
                format!("{};{side}", self.query_code()),
            ),
        ];
        (self.status(), headers, body.to_string()).into_response()
    }
}
