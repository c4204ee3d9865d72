//! Error codes of the HTTP interface and their body, `application/problem+json` (RFC 9457).

use serde::Serialize;

/// A stable code that a client may act on. Its status and title never change within a major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    MalformedJson,
    IdMismatch,
    Unauthenticated,
    NotAllowed,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    IdConflict,
    BodyTooLarge,
    UnsupportedMediaType,
    InvalidMember,
    CardNumber,
    RateLimited,
    Internal,
    UpstreamFailed,
    Overloaded,
    Draining,
    StorageUnavailable,
    StatusUnavailable,
    UpstreamTimeout,
}

impl ErrorCode {
    pub const ALL: [Self; 20] = [
        Self::MalformedJson,
        Self::IdMismatch,
        Self::Unauthenticated,
        Self::NotAllowed,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::IdConflict,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::InvalidMember,
        Self::CardNumber,
        Self::RateLimited,
        Self::Internal,
        Self::UpstreamFailed,
        Self::Overloaded,
        Self::Draining,
        Self::StorageUnavailable,
        Self::StatusUnavailable,
        Self::UpstreamTimeout,
    ];

    /// HTTP status, code and title of the body: the one table that tiers and tests share.
    pub const fn parts(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::MalformedJson => (400, "malformed_json", "The body is not a JSON object"),
            Self::IdMismatch => (400, "id_mismatch", "Two different ids were given"),
            Self::Unauthenticated => (401, "unauthenticated", "A valid credential is required"),
            Self::NotAllowed => (403, "not_allowed", "The request is not allowed"),
            Self::NotFound => (404, "not_found", "There is nothing at this address"),
            Self::MethodNotAllowed => (405, "method_not_allowed", "The method is not allowed here"),
            Self::RequestTimeout => (408, "request_timeout", "The request came too slowly"),
            Self::IdConflict => (409, "id_conflict", "The id belongs to another payment"),
            Self::BodyTooLarge => (413, "body_too_large", "The body is too large"),
            Self::UnsupportedMediaType => (
                415,
                "unsupported_media_type",
                "The body's type or coding is not supported",
            ),
            Self::InvalidMember => (422, "invalid_member", "A member breaks its rule"),
            Self::CardNumber => (422, "card_number", "Card numbers are not accepted"),
            Self::RateLimited => (429, "rate_limited", "The client is over its limit"),
            Self::Internal => (500, "internal", "Something broke on our side"),
            Self::UpstreamFailed => (502, "upstream_failed", "A server behind this one broke"),
            Self::Overloaded => (503, "overloaded", "Too many payments are waiting"),
            Self::Draining => (503, "draining", "This server is about to stop"),
            Self::StorageUnavailable => {
                (503, "storage_unavailable", "Payments can't be stored now")
            }
            Self::StatusUnavailable => (503, "status_unavailable", "The status can't be read now"),
            Self::UpstreamTimeout => (
                504,
                "upstream_timeout",
                "A server behind this one is too slow",
            ),
        }
    }

    pub const fn status(self) -> u16 {
        self.parts().0
    }

    pub const fn code(self) -> &'static str {
        self.parts().1
    }

    /// Seconds after which the same request may succeed, for the header Retry-After.
    pub const fn retry_after_seconds(self) -> Option<u32> {
        match self.status() {
            429 | 503 => Some(1),
            _ => None,
        }
    }
}

/// The body of every answer that is not a success. `detail` is written by this project: it never holds
/// text of a driver or an SDK, nor anything that the client sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: &'static str,
    pub status: u16,
    pub code: &'static str,
    pub detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
    pub request_id: String,
}

impl Problem {
    pub const MEDIA_TYPE: &'static str = "application/problem+json";

    pub fn new(code: ErrorCode, detail: impl Into<String>, request_id: &str) -> Self {
        let (status, name, title) = code.parts();
        Self {
            kind: format!("urn:payments:problem:{name}"),
            title,
            status,
            code: name,
            detail: detail.into(),
            member: None,
            request_id: request_id.to_owned(),
        }
    }

    #[must_use]
    pub fn with_member(mut self, member: Option<&str>) -> Self {
        self.member = member.map(str::to_owned);
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_every_429_and_503_says_when_to_retry() {
        let names: HashSet<_> = ErrorCode::ALL.iter().map(|c| c.code()).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert_eq!(
                code.retry_after_seconds().is_some(),
                matches!(code.status(), 429 | 503),
                "{code:?}"
            );
        }
    }
}
