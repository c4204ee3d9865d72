//! Lambda's Invoke API, called asynchronously.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::api::{Api, DeliveryError};

/// Returns once Lambda has queued the event.
pub async fn invoke(api: &Api, function: &str, event: Bytes) -> Result<(), DeliveryError> {
    let function = utf8_percent_encode(function, NON_ALPHANUMERIC);
    let path = format!("/2015-03-31/functions/{function}/invocations");
    let headers = HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        ),
        (
            HeaderName::from_static("x-amz-invocation-type"),
            HeaderValue::from_static("Event"),
        ),
    ]);
    api.post(&path, headers, event, StatusCode::ACCEPTED).await
}
