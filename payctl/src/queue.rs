//! The queue of dead-lettered events, and the objects that they name.

use std::time::Duration;

use aws_clients::aws::{self, Bounds, NoRegion};
use aws_clients::failure;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, QueueAttributeName};
use payment_core::event::{Event, Named};
use url::Url;

/// Messages of one call: the most that SQS takes or gives.
const MESSAGES_MAX: usize = 10;

/// How long SQS looks for messages, on all of its servers. Without it an answer may be empty where the queue is not.
const WAIT_SECONDS: i32 = 2;

/// Nobody else is given a message while its objects are ingested. It is extended meanwhile; the letters of a run that
/// was killed come back after it.
const INVISIBLE_SECONDS: i32 = 60;

/// How often it is extended: the third call still comes in time where two fail.
pub const EXTEND_EVERY: Duration = Duration::from_secs(15);

const CALL: Bounds = Bounds {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(20),
    operation: Duration::from_mins(1),
    attempts: 3,
};

#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

/// A dead-lettered event.
#[derive(Debug)]
pub struct Letter {
    pub id: String,
    pub body: String,
    pub receipt: String,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "the queue refused or can't be reached; the credentials need sqs:ReceiveMessage, sqs:DeleteMessage, \
     sqs:ChangeMessageVisibility and sqs:GetQueueAttributes on it: {0}"
)]
pub struct QueueError(String);

/// How many letters the queue holds, as far as SQS knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    pub visible: u64,
    /// Messages in flight: received by another operator, or by a run that was killed.
    pub in_flight: u64,
    pub delayed: u64,
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

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether SQS moves its messages on to another queue once they failed: then it is none of dead letters.
    pub async fn is_redriven(&self) -> Result<bool, QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let request = request.attribute_names(QueueAttributeName::RedrivePolicy);
        let answer = request.send().await.map_err(|error| failed(&error))?;
        Ok(answer
            .attributes
            .is_some_and(|attributes| !attributes.is_empty()))
    }

    /// The next letters, at most so many; none if the queue has no more.
    pub async fn receive(&self, limit: usize) -> Result<Vec<Letter>, QueueError> {
        let request = self.client.receive_message().queue_url(&self.url);
        let limit = i32::try_from(limit.clamp(1, MESSAGES_MAX)).unwrap_or(1);
        let answer = request
            .max_number_of_messages(limit)
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

    pub async fn delete(&self, receipt: String) -> Result<(), QueueError> {
        let request = self.client.delete_message().queue_url(&self.url);
        let answer = request.receipt_handle(receipt).send().await;
        answer.map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Keeps the letters from others for longer.
    pub async fn extend(&self, receipts: &[String]) -> Result<(), QueueError> {
        self.hide(receipts, INVISIBLE_SECONDS).await
    }

    /// Lets others see the letters at once.
    pub async fn release(&self, receipts: &[String]) -> Result<(), QueueError> {
        self.hide(receipts, 0).await
    }

    /// A receipt that SQS takes no more is of no use: another has the letter, or nobody.
    async fn hide(&self, receipts: &[String], seconds: i32) -> Result<(), QueueError> {
        for receipts in receipts.chunks(MESSAGES_MAX) {
            let entries = receipts.iter().enumerate().map(|(number, receipt)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(seconds)
                    .build()
            });
            let entries: Result<Vec<_>, _> = entries.collect();
            let entries = entries.map_err(|error| QueueError(error.to_string()))?;
            let request = self.client.change_message_visibility_batch();
            let request = request.queue_url(&self.url).set_entries(Some(entries));
            request.send().await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    pub async fn depth(&self) -> Result<Depth, QueueError> {
        let request = self.client.get_queue_attributes().queue_url(&self.url);
        let [visible, in_flight, delayed] = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = [&visible, &in_flight, &delayed]
            .into_iter()
            .fold(request, |request, name| {
                request.attribute_names(name.clone())
            });
        let answer = request.send().await.map_err(|error| failed(&error))?;
        let count = |name: &QueueAttributeName| {
            let attributes = answer.attributes.as_ref();
            let count = attributes.and_then(|attributes| attributes.get(name)?.parse().ok());
            count.ok_or_else(|| QueueError(format!("it does not tell {}", name.as_str())))
        };
        Ok(Depth {
            visible: count(&visible)?,
            in_flight: count(&in_flight)?,
            delayed: count(&delayed)?,
        })
    }
}

impl Letter {
    /// The objects to ingest, record by record: none for a test event, or for a schedule, which comes again by itself.
    pub fn objects(&self) -> Vec<Named> {
        match Event::parse_dead_letter(&self.body) {
            Ok(Event::Objects(objects)) => objects,
            Ok(Event::Messages(messages)) => {
                let objects = messages.into_iter().map(|message| message.objects);
                objects.flatten().collect()
            }
            Ok(Event::Sweep) => Vec::new(),
            Err(error) => vec![Err(error)],
        }
    }
}

fn failed<E>(error: &SdkError<E>) -> QueueError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    QueueError(failure::text(error))
}

#[cfg(test)]
mod tests {
    use payment_core::event::EventError;

    use super::*;

    const EVENT: &str = r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put",
        "s3":{"bucket":{"name":"log"},"object":{"key":"transactions/a+b.json"}}}]}"#;

    fn keys(body: &str) -> Result<Vec<String>, EventError> {
        let letter = Letter {
            id: "m".to_owned(),
            body: body.to_owned(),
            receipt: "r".to_owned(),
        };
        let objects = letter.objects().into_iter();
        objects.map(|named| Ok(named?.key.to_string())).collect()
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

    #[test]
    fn p2_an_event_of_two_kinds_is_of_none() {
        let whole: serde_json::Value = serde_json::from_str(EVENT).unwrap();
        for (member, value) in [
            ("Event", serde_json::json!("s3:TestEvent")),
            ("Event", serde_json::json!("other")),
            ("detail-type", serde_json::json!("Scheduled Event")),
            ("detail-type", serde_json::json!("Object Deleted")),
            ("Message", serde_json::json!(EVENT)),
            (
                "requestPayload",
                serde_json::json!({"Event": "s3:TestEvent"}),
            ),
        ] {
            let mut both = whole.clone();
            both[member] = value;
            let wrapped = serde_json::json!({"requestPayload": both});
            for body in [both.to_string(), wrapped.to_string()] {
                assert_eq!(keys(&body), Err(EventError::UnknownKind), "{body}");
            }
        }
    }
}
