//! SQS's `SendMessage`, in the AWS JSON 1.0 protocol.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::api::{Api, DeliveryError};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage<'a> {
    queue_url: &'a str,
    message_body: &'a str,
}

/// Returns once the queue holds the event.
pub async fn send(api: &Api, queue_url: &str, event: &[u8]) -> Result<(), DeliveryError> {
    let message = SendMessage {
        queue_url,
        message_body: &String::from_utf8_lossy(event),
    };
    let headers = HeaderMap::from_iter([
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/x-amz-json-1.0"),
        ),
        (
            HeaderName::from_static("x-amz-target"),
            HeaderValue::from_static("AmazonSQS.SendMessage"),
        ),
    ]);
    let body = Bytes::from(serde_json::to_vec(&message)?);
    api.post("/", headers, body, StatusCode::OK).await
}
