//! Reads a request's body within bounds.

use std::error::Error;
use std::pin::pin;
use std::time::Duration;

use axum::BoxError;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use payment_core::ErrorCode;
use tokio::time::timeout;

use super::Refusal;
use super::slot::Waiting;

/// How long a client may take to send one small body.
const READ: Duration = Duration::from_secs(5);

/// A body that is sent together with its head is there by then, however busy this machine is.
const PROMPT: Duration = Duration::from_millis(100);

/// The whole body of a JSON request, at most `bytes_max` long.
pub async fn read_json(request: Request<Body>, bytes_max: usize) -> Result<Bytes, Refusal> {
    if !is_json(request.headers()) {
        return Err(Refusal::new(
            ErrorCode::UnsupportedMediaType,
            "send the header Content-Type: application/json",
        ));
    }
    read_body(request, bytes_max).await
}

/// The whole body, whatever its type.
pub async fn read_body(request: Request<Body>, bytes_max: usize) -> Result<Bytes, Refusal> {
    let (head, body) = request.into_parts();
    read(&head, body, bytes_max).await
}

/// The whole body of a request with this head. An error of `body` that is a [`Refusal`] is the outcome.
pub(super) async fn read<B>(head: &Parts, body: B, bytes_max: usize) -> Result<Bytes, Refusal>
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if !is_plain(&head.headers) {
        return Err(Refusal::new(
            ErrorCode::UnsupportedMediaType,
            "the header Content-Encoding names a coding; send the body without one, as it is",
        ));
    }
    let too_large = || {
        Refusal::new(
            ErrorCode::BodyTooLarge,
            format!("the body must have at most {bytes_max} bytes"),
        )
    };
    if stated_length(&head.headers).is_some_and(|length| length > bytes_max) {
        return Err(too_large());
    }
    let mut read = pin!(gather(Limited::new(body, bytes_max)));
    let waiting = Waiting::begin(&head.extensions);
    let mut outcome = timeout(PROMPT, read.as_mut()).await;
    if outcome.is_err() {
        waiting.is_slow();
        outcome = timeout(READ.saturating_sub(PROMPT), read).await;
    }
    let Ok(outcome) = outcome else {
        return Err(Refusal::new(
            ErrorCode::RequestTimeout,
            "send the body within 5 seconds",
        ));
    };
    waiting.end()?;
    match outcome.map_err(<dyn Error + Send + Sync>::downcast::<Refusal>) {
        Ok(whole) => Ok(whole),
        Err(Ok(refusal)) => Err(*refusal),
        Err(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(Err(error)) => Err(
            Refusal::new(ErrorCode::MalformedJson, "the body ended early")
                .because(error.to_string()),
        ),
    }
}

/// The pieces of a body, copied together: each keeps the whole buffer that it came in, however small it is itself.
async fn gather<B>(body: B) -> Result<Bytes, BoxError>
where
    B: hyper::body::Body<Data = Bytes, Error = BoxError>,
{
    let mut body = pin!(body);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(piece) = frame?.into_data() {
            whole.extend_from_slice(&piece);
        }
    }
    Ok(whole.freeze())
}

/// Whether the body is sent as it is. The coding `identity` says just that.
fn is_plain(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().all(|value| {
        value.to_str().is_ok_and(|codings| {
            codings
                .split(',')
                .map(str::trim)
                .all(|coding| coding.is_empty() || coding.eq_ignore_ascii_case("identity"))
        })
    })
}

fn stated_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The media type of the header Content-Type as it was sent, without parameters. Its case means nothing.
pub fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim())
}

/// `application/json`, or another type with the suffix `+json`.
fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|media_type| {
        media_type.eq_ignore_ascii_case("application/json")
            || media_type.split_once('/').is_some_and(|(kind, name)| {
                let suffix = name.rsplit_once('+').map(|(_, suffix)| suffix);
                kind.eq_ignore_ascii_case("application")
                    && suffix.is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"))
            })
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn json_is_told_by_its_type_or_its_suffix_in_any_case() {
        let told = |value| {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(value))]);
            is_json(&headers)
        };
        for json in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/problem+json",
            "APPLICATION/a.b+c+Json",
        ] {
            assert!(told(json), "{json}");
        }
        for other in [
            "",
            "json",
            "text/json",
            "application/jsonp",
            "application/json+xml",
            "text/a+json",
        ] {
            assert!(!told(other), "{other}");
        }
    }
}
