//! The queue of dead-lettered events, and the objects that they name.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use payment_core::event::{Event, EventError, ObjectRef};
use reqwest::Url;
use serde::Deserialize;
use serde_json::value::RawValue;
use tier_kit::aws::{self, Bounds, NoRegion};

/// Messages of one answer: the most that SQS gives.
const MESSAGES_MAX: i32 = 10;

/// How long SQS looks for messages, on all of its servers. Without it an answer may be empty where the queue is not.
const WAIT_SECONDS: i32 = 2;

/// Nobody else is given a message while its objects are ingested.
const INVISIBLE_SECONDS: i32 = 300;

const CALL: Bounds = Bounds {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(20),
    operation: Duration::from_mins(1),
    attempts: 3,
};

#[derive(Debug)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A dead-lettered event.
#[derive(Debug)]
pub struct Letter {
    pub id: String,
    pub body: String,
    receipt: String,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the queue refused or can't be reached; the credentials need sqs:ReceiveMessage and sqs:DeleteMessage on it: {0}"
)]
pub struct QueueError(String);

/// What Lambda's destination for failures puts around the event; its dead-letter queue puts nothing.
#[derive(Deserialize)]
struct Destination<'a> {
    #[serde(rename = "requestPayload", borrow)]
    request_payload: &'a RawValue,
}

impl Queue {
    pub async fn open(url: Url) -> Result<Self, NoRegion> {
        let sdk = aws::config(CALL).await?;
        let mut config = aws_sdk_sqs::config::Builder::from(&sdk);
        // The queue's address names its server, also where AWS_ENDPOINT_URL is that of another service.
        if std::env::var_os("AWS_ENDPOINT_URL_SQS").is_none() {
            config = config.endpoint_url(url.origin().ascii_serialization());
        }
        Ok(Self {
            client: Client::from_conf(config.build()),
            url: url.into(),
        })
    }

    /// The next letters; none where the queue has no more.
    pub async fn receive(&self) -> Result<Vec<Letter>, QueueError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let answer = request
            .max_number_of_messages(MESSAGES_MAX)
            .wait_time_seconds(WAIT_SECONDS)
            .visibility_timeout(INVISIBLE_SECONDS)
            .send()
            .await
            .map_err(|error| failed(&error))?;
        let letter = |message: aws_sdk_sqs::types::Message| {
            Some(Letter {
                id: message.message_id?,
                body: message.body?,
                receipt: message.receipt_handle?,
            })
        };
        Ok(answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .filter_map(letter)
            .collect())
    }

    pub async fn delete(&self, letter: &Letter) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(&self.url);
        let answer = request.receipt_handle(&letter.receipt).send().await;
        answer.map_err(|error| failed(&error))?;
        Ok(())
    }
}

impl Letter {
    /// The objects to ingest: none for a test event, or for a schedule, which comes again by itself.
    pub fn objects(&self) -> Result<Vec<ObjectRef>, EventError> {
        let event = match serde_json::from_str::<Destination<'_>>(&self.body) {
            Ok(destination) => destination.request_payload.get(),
            Err(_) => &self.body,
        };
        match Event::parse(event)? {
            Event::Objects(objects) => Ok(objects),
            Event::Messages(messages) => {
                let objects: Result<Vec<_>, _> = messages
                    .into_iter()
                    .map(|message| message.objects)
                    .collect();
                Ok(objects?.concat())
            }
            Event::Sweep => Ok(Vec::new()),
        }
    }
}

fn failed<E: std::error::Error + 'static>(error: &SdkError<E>) -> QueueError {
    QueueError(DisplayErrorContext(error).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
        "s3":{"bucket":{"name":"log"},"object":{"key":"transactions/a+b.json"}}}]}"#;

    fn keys(body: &str) -> Result<Vec<String>, EventError> {
        let letter = Letter {
            id: "m".to_owned(),
            body: body.to_owned(),
            receipt: "r".to_owned(),
        };
        let objects = letter.objects()?;
        Ok(objects
            .iter()
            .map(|object| object.key.to_string())
            .collect())
    }

    #[test]
    fn an_event_stands_bare_in_a_queue_and_wrapped_by_a_destination() {
        let wrapped =
            format!(r#"{{"version":"1.0","requestContext":{{}},"requestPayload":{EVENT}}}"#);
        let nested = serde_json::json!({"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": EVENT}]});
        for body in [EVENT, &wrapped, &nested.to_string()] {
            assert_eq!(keys(body), Ok(vec!["transactions/a b.json".to_owned()]));
        }
        assert_eq!(keys(r#"{"Event":"s3:TestEvent"}"#), Ok(Vec::new()));
        assert_eq!(
            keys(r#"{"requestPayload":{"detail-type":"Scheduled Event"}}"#),
            Ok(Vec::new())
        );
        assert_eq!(keys("nonsense"), Err(EventError::NotJson));
    }
}
