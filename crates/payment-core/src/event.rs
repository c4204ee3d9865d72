//! What starts the function: an S3 event, the same wrapped by SQS, SNS or EventBridge, S3's test event, or a
//! schedule. Types of our own read these, tolerant of members that they do not need: S3's own test event
//! lacks `Records`, and stricter types fail on it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::object_key::ObjectKey;

/// Major version of S3's event message that this reader understands.
const S3_EVENT_MAJOR: &str = "2";

/// Kinds of S3's events that bring no new object. A restored object was created before.
const OTHER_KINDS: [&str; 10] = [
    "IntelligentTiering",
    "LifecycleExpiration",
    "LifecycleTransition",
    "ObjectAcl",
    "ObjectRemoved",
    "ObjectRestore",
    "ObjectTagging",
    "ReducedRedundancyLostObject",
    "Replication",
    "TestEvent",
];

/// One invocation's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Objects to ingest, as a whole: where one fails, the invocation fails.
    Objects(Vec<ObjectRef>),
    /// Messages of a queue, each with an answer of its own.
    Messages(Vec<Message>),
    /// The schedule: look for objects whose event was lost.
    Sweep,
}

/// An object that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    pub bucket: String,
    pub key: ObjectKey,
}

/// A message of SQS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub objects: Result<Vec<ObjectRef>, EventError>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("the event is not JSON")]
    NotJson,
    #[error("the event is of no kind that is known here: S3, SQS, SNS, EventBridge or a schedule")]
    UnknownKind,
    #[error("the event is of a version that is not known here: {0:?}")]
    UnknownVersion(String),
    #[error("the event says that something happened to an object that is not known here: {0:?}")]
    UnknownName(String),
    #[error("the event names an object key that can't be decoded")]
    BadKey,
}

impl Event {
    pub fn parse(payload: &str) -> Result<Self, EventError> {
        Self::of(&Envelope::parse(payload)?)
    }

    /// An event that was given up: bare, or wrapped by Lambda's destination for failures.
    pub fn parse_dead_letter(payload: &str) -> Result<Self, EventError> {
        let envelope = Envelope::parse(payload)?;
        match &envelope.request_payload {
            Some(event) => Self::parse(event.get()),
            None => Self::of(&envelope),
        }
    }

    fn of(envelope: &Envelope) -> Result<Self, EventError> {
        if envelope.detail_type.as_deref() == Some("Scheduled Event") {
            return Ok(Self::Sweep);
        }
        match envelope.records.as_deref() {
            Some(
                records @ [
                    Record {
                        event_source: Source::Sqs,
                        ..
                    },
                    ..,
                ],
            ) => Ok(Self::Messages(records.iter().map(message).collect())),
            _ => envelope.objects().map(Self::Objects),
        }
    }
}

fn message(record: &Record) -> Message {
    let body = record.body.as_deref().unwrap_or_default();
    Message {
        id: record.message_id.clone().unwrap_or_default(),
        objects: objects_of(body),
    }
}

/// Objects that a nested envelope names: the body of an SQS message, or the message of SNS.
fn objects_of(payload: &str) -> Result<Vec<ObjectRef>, EventError> {
    Envelope::parse(payload)?.objects()
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    /// `s3:TestEvent`, sent once when a notification is configured.
    #[serde(rename = "Event")]
    event: Option<String>,
    /// SNS, as it stands in the body of an SQS message.
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    /// EventBridge's form of an S3 event; other kinds of event put other things here.
    detail: Option<Value>,
    #[serde(rename = "requestPayload")]
    request_payload: Option<Box<RawValue>>,
}

impl Envelope {
    /// Refuses an envelope of two kinds: by one of them, what the other one names would be left out.
    fn parse(payload: &str) -> Result<Self, EventError> {
        let envelope: Self = serde_json::from_str(payload).map_err(|_| EventError::NotJson)?;
        let kinds = [
            envelope.records.is_some(),
            envelope.event.is_some(),
            envelope.message.is_some(),
            envelope.detail_type.is_some(),
            envelope.request_payload.is_some(),
        ];
        if kinds.into_iter().filter(|is_kind| *is_kind).count() == 1 {
            Ok(envelope)
        } else {
            Err(EventError::UnknownKind)
        }
    }

    fn objects(&self) -> Result<Vec<ObjectRef>, EventError> {
        if self.event.as_deref() == Some("s3:TestEvent") {
            return Ok(Vec::new());
        }
        if let Some(records) = &self.records {
            return Ok(records
                .iter()
                .map(Record::objects)
                .collect::<Result<Vec<_>, _>>()?
                .concat());
        }
        match (&self.message, self.detail_type.as_deref(), &self.detail) {
            (Some(message), _, _) => objects_of(message),
            (None, Some("Object Created"), Some(detail)) => {
                let s3 = S3::deserialize(detail).map_err(|_| EventError::UnknownKind)?;
                Ok(vec![s3.object_ref(ObjectKey::parse)?])
            }
            // Deletions, restores and the like change nothing here.
            (None, Some(other), Some(_)) if other.starts_with("Object ") => Ok(Vec::new()),
            _ => Err(EventError::UnknownKind),
        }
    }
}

#[derive(Deserialize)]
struct Record {
    /// SNS alone writes `EventSource`.
    #[serde(rename = "eventSource", alias = "EventSource")]
    event_source: Source,
    #[serde(rename = "eventVersion", alias = "EventVersion")]
    event_version: Option<String>,
    #[serde(rename = "eventName")]
    event_name: Option<String>,
    s3: Option<S3>,
    #[serde(rename = "messageId")]
    message_id: Option<String>,
    body: Option<String>,
    #[serde(rename = "Sns")]
    sns: Option<Sns>,
}

#[derive(Deserialize)]
enum Source {
    #[serde(rename = "aws:s3")]
    S3,
    #[serde(rename = "aws:sqs")]
    Sqs,
    #[serde(rename = "aws:sns")]
    Sns,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Sns {
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
struct S3 {
    bucket: Bucket,
    object: Object,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

impl Record {
    fn objects(&self) -> Result<Vec<ObjectRef>, EventError> {
        match (&self.event_source, &self.s3, &self.sns) {
            (Source::S3, Some(s3), None) => self.s3_object(s3),
            (Source::Sns, None, Some(sns)) => objects_of(&sns.message),
            _ => Err(EventError::UnknownKind),
        }
    }

    fn s3_object(&self, s3: &S3) -> Result<Vec<ObjectRef>, EventError> {
        let version = self.event_version.as_deref().unwrap_or_default();
        if version.split('.').next() != Some(S3_EVENT_MAJOR) {
            return Err(EventError::UnknownVersion(
                version.chars().take(16).collect(),
            ));
        }
        // Some senders write the name as notifications are configured, with `s3:` before it.
        let name = self.event_name.as_deref().unwrap_or_default();
        let name = name.strip_prefix("s3:").unwrap_or(name);
        let (kind, _) = name.split_once(':').unwrap_or((name, ""));
        match kind {
            "ObjectCreated" => Ok(vec![s3.object_ref(ObjectKey::parse_form_encoded)?]),
            kind if OTHER_KINDS.contains(&kind) => Ok(Vec::new()),
            _ => Err(EventError::UnknownName(name.chars().take(64).collect())),
        }
    }
}

impl S3 {
    /// S3 encodes keys in its own events; EventBridge does not.
    fn object_ref(&self, decode: fn(&str) -> Option<ObjectKey>) -> Result<ObjectRef, EventError> {
        let key = decode(&self.object.key).ok_or(EventError::BadKey)?;
        Ok(ObjectRef {
            bucket: self.bucket.name.clone(),
            key,
        })
    }
}

#[cfg(test)]
mod tests;
