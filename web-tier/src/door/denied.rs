//! What somebody is told who may not come in: 401 who is not known, 429 who is over a limit, 413 whose batch never fits.
//!
//! The first never says what was wrong with a credential: that would tell a good guess from a bad one.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use governor::Quota;
use http::header::{HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http_service::http::Refusal;
use payment_core::ErrorCode;

use super::caller::seconds;

const ACCEPT_SIGNATURE: HeaderName = HeaderName::from_static("accept-signature");
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

#[derive(Debug)]
pub enum Denied {
    /// No valid credential. This is what a signature would have to cover.
    Unknown(&'static [&'static str]),
    Limited(Limit),
    /// A batch of more payments than the client's limits ever let in at once.
    BatchTooLarge(NonZeroU32),
}

/// The limit that was reached.
#[derive(Debug)]
pub enum Limit {
    Rate { quota: Quota, wait: Duration },
    InFlight(NonZeroU32),
}

impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        match self {
            Self::Unknown(covered) => unknown(covered),
            Self::Limited(limit) => limit.into_response(),
            Self::BatchTooLarge(max) => Refusal::new(
                ErrorCode::BodyTooLarge,
                format!("a batch of yours must have at most {max} payments; send smaller ones"),
            )
            .into_response(),
        }
    }
}

fn unknown(covered: &[&str]) -> Response {
    let refusal = Refusal::new(
        ErrorCode::Unauthenticated,
        "send the header Authorization: Bearer with a key of yours, or sign the request as /docs says",
    );
    let mut response = refusal.into_response();
    let headers = response.headers_mut();
    for scheme in ["Bearer realm=\"payments\"", "Signature realm=\"payments\""] {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(scheme));
    }
    let covered = covered.join("\" \"");
    if let Ok(value) = HeaderValue::try_from(format!("sig=(\"{covered}\");created;keyid")) {
        headers.insert(ACCEPT_SIGNATURE, value);
    }
    response
}

impl Limit {
    fn refusal(&self) -> Refusal {
        match self {
            Self::Rate { wait, .. } => Refusal::new(
                ErrorCode::RateLimited,
                "too many requests per second; send it again after Retry-After, under the same id",
            )
            .retry_after(seconds(*wait)),
            Self::InFlight(_) => Refusal::new(
                ErrorCode::RateLimited,
                "too many payments in flight; wait for answers, and send it again under the same id",
            ),
        }
    }

    /// The headers `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    fn headers(&self) -> [(HeaderName, String); 2] {
        let (policy, state) = match self {
            Self::Rate { quota, wait } => {
                let burst = quota.burst_size();
                let window = seconds(quota.burst_size_replenished_in());
                let policy = format!("\"requests\";q={burst};w={window}");
                (policy, format!("\"requests\";r=0;t={}", seconds(*wait)))
            }
            Self::InFlight(max) => (
                format!("\"in-flight\";q={max};qu=\"concurrent-requests\""),
                "\"in-flight\";r=0".to_owned(),
            ),
        };
        [(RATE_LIMIT_POLICY, policy), (RATE_LIMIT, state)]
    }
}

impl IntoResponse for Limit {
    fn into_response(self) -> Response {
        (self.headers(), self.refusal()).into_response()
    }
}
