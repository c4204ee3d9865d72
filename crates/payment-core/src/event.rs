//! What starts the function: an S3 event, the same wrapped by SQS, SNS or EventBridge, S3's test event, or a
//! schedule. Types of our own read these, tolerant of members that they do not need: S3's own test event
//! has no `Records`, and stricter types fail on it. But a member that stands twice is refused: one of the two would be
//! left out.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::error::Category;
use serde_json::value::RawValue;

use crate::object_key::ObjectKey;
use crate::object_version::ETag;

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

/// EventBridge's names for the same kinds.
const OTHER_DETAIL_TYPES: [&str; 9] = [
    "Object ACL Updated",
    "Object Access Tier Changed",
    "Object Deleted",
    "Object Restore Completed",
    "Object Restore Expired",
    "Object Restore Initiated",
    "Object Storage Class Changed",
    "Object Tags Added",
    "Object Tags Deleted",
];

/// Sources of a schedule: a rule of EventBridge, and EventBridge Scheduler.
const SCHEDULE_SOURCES: [&str; 2] = ["aws.events", "aws.scheduler"];

/// One invocation's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Objects to ingest, as a whole: if one fails, the invocation fails.
    Objects(Vec<Named>),
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
    /// Version that the event tells of, if it says so. S3 may have another one by now.
    pub etag: Option<ETag>,
}

/// The object that a record names, or why the record can't be read, which stops no other record.
pub type Named = Result<ObjectRef, EventError>;

/// A message of SQS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub objects: Vec<Named>,
}

/// Why an invocation's payload names no objects.
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
    #[error("the event says {kind:?} of {key:?}, which brings no object to ingest")]
    NothingNew { kind: String, key: String },
    #[error("the event has no records")]
    Empty,
}

impl EventError {
    fn is_idle(&self) -> bool {
        matches!(self, Self::NothingNew { .. } | Self::Empty)
    }
}

impl Event {
    /// Reads an event for the function, to which a record that brings no object means nothing.
    pub fn parse(payload: &str) -> Result<Self, EventError> {
        let is_work = |named: &Named| !named.as_ref().is_err_and(EventError::is_idle);
        let mut event = Self::of(&Envelope::parse(payload)?);
        match &mut event {
            Self::Objects(objects) => objects.retain(is_work),
            Self::Messages(messages) => {
                for message in messages {
                    message.objects.retain(is_work);
                }
            }
            Self::Sweep => {}
        }
        Ok(event)
    }

    /// Reads an event that was given up: bare, or wrapped by Lambda's destination for failures. A record that brings no
    /// object is an error: it may be the last trace of one that was deleted.
    pub fn parse_dead_letter(payload: &str) -> Result<Self, EventError> {
        let envelope = Envelope::parse(payload)?;
        match &envelope.request_payload {
            Some(event) => Ok(Self::of(&Envelope::parse(event.get())?)),
            None => Ok(Self::of(&envelope)),
        }
    }

    fn of(envelope: &Envelope) -> Self {
        if envelope.is_schedule() {
            return Self::Sweep;
        }
        let records = envelope.records.as_deref().unwrap_or_default();
        let messages = records.iter().map(|record| MessageRecord::read(record));
        let messages: Vec<_> = messages.collect();
        if messages.iter().any(Option::is_some) {
            let messages = messages.into_iter().map(Option::unwrap_or_default);
            Self::Messages(messages.map(Message::from).collect())
        } else {
            Self::Objects(envelope.objects())
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageRecord {
    #[serde(rename = "eventSource")]
    event_source: String,
    #[serde(rename = "messageId")]
    id: String,
    body: String,
}

impl MessageRecord {
    fn read(record: &RawValue) -> Option<Self> {
        let read: Option<Self> = serde_json::from_str(record.get()).ok();
        read.filter(|record| record.event_source == "aws:sqs")
    }
}

impl From<MessageRecord> for Message {
    fn from(record: MessageRecord) -> Self {
        Self {
            id: record.id,
            objects: objects_of(&record.body),
        }
    }
}

/// Objects that a nested envelope names: the body of an SQS message, or the message of SNS.
fn objects_of(payload: &str) -> Vec<Named> {
    match Envelope::parse(payload) {
        Ok(envelope) => envelope.objects(),
        Err(error) => vec![Err(error)],
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Records")]
    records: Option<Vec<Box<RawValue>>>,
    /// `s3:TestEvent`, sent once when a notification is configured.
    #[serde(rename = "Event")]
    event: Option<String>,
    /// SNS, as it stands in the body of an SQS message.
    #[serde(rename = "Message")]
    message: Option<String>,
    #[serde(rename = "detail-type")]
    detail_type: Option<String>,
    source: Option<String>,
    /// EventBridge's form of an S3 event; other kinds of event put other things here.
    detail: Option<Box<RawValue>>,
    #[serde(rename = "requestPayload")]
    request_payload: Option<Box<RawValue>>,
}

impl Envelope {
    /// Refuses an envelope of two kinds: by one of them, what the other one names would be left out.
    fn parse(payload: &str) -> Result<Self, EventError> {
        let envelope: Result<Self, _> = serde_json::from_str(payload);
        let envelope = envelope.map_err(|error| match error.classify() {
            Category::Data => EventError::UnknownKind,
            _ => EventError::NotJson,
        })?;
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

    /// One that a person wrote for a target may name no source. None names an object.
    fn is_schedule(&self) -> bool {
        #[derive(Deserialize)]
        struct Detail {
            object: Option<IgnoredAny>,
        }
        let names_object = |detail: &str| {
            let detail = detail
                .starts_with('{')
                .then(|| serde_json::from_str(detail));
            !matches!(detail, None | Some(Ok(Detail { object: None })))
        };
        let source = self.source.as_deref();
        let detail = self.detail.as_deref().map(RawValue::get);
        self.detail_type.as_deref() == Some("Scheduled Event")
            && source.is_none_or(|source| SCHEDULE_SOURCES.contains(&source))
            && !detail.is_some_and(names_object)
    }

    fn objects(&self) -> Vec<Named> {
        if self.event.as_deref() == Some("s3:TestEvent") {
            return Vec::new();
        }
        match (&self.records, &self.message) {
            (Some(records), _) if records.is_empty() => vec![Err(EventError::Empty)],
            (Some(records), _) => records
                .iter()
                .flat_map(|record| objects_of_record(record))
                .collect(),
            (None, Some(message)) => objects_of(message),
            (None, None) => vec![self.event_bridge_object()],
        }
    }

    fn event_bridge_object(&self) -> Named {
        let (Some("aws.s3"), Some(kind)) = (self.source.as_deref(), self.detail_type.as_deref())
        else {
            return Err(EventError::UnknownKind);
        };
        let detail = self.detail.as_deref().map_or("null", RawValue::get);
        let s3: Result<S3, _> = serde_json::from_str(detail);
        match (kind, s3) {
            ("Object Created", Ok(s3)) => s3.object_ref(ObjectKey::parse),
            ("Object Created", Err(_)) => Err(EventError::UnknownKind),
            (other, s3) if OTHER_DETAIL_TYPES.contains(&other) => Err(EventError::NothingNew {
                kind: other.to_owned(),
                key: s3.map(|s3| s3.object.key).unwrap_or_default(),
            }),
            (other, _) => Err(EventError::UnknownName(beginning(other))),
        }
    }
}

fn objects_of_record(record: &RawValue) -> Vec<Named> {
    match serde_json::from_str::<Record>(record.get()) {
        Ok(record) => record.objects(),
        Err(_) => vec![Err(EventError::UnknownKind)],
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
    #[serde(rename = "Sns")]
    sns: Option<Sns>,
}

#[derive(Deserialize)]
enum Source {
    #[serde(rename = "aws:s3")]
    S3,
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
    /// EventBridge writes `etag`.
    #[serde(rename = "eTag", alias = "etag", default)]
    etag: Value,
}

impl Record {
    fn objects(&self) -> Vec<Named> {
        match (&self.event_source, &self.s3, &self.sns) {
            (Source::S3, Some(s3), None) => vec![self.s3_object(s3)],
            (Source::Sns, None, Some(sns)) => objects_of(&sns.message),
            _ => vec![Err(EventError::UnknownKind)],
        }
    }

    fn s3_object(&self, s3: &S3) -> Named {
        let version = self.event_version.as_deref().unwrap_or_default();
        if version.split('.').next() != Some(S3_EVENT_MAJOR) {
            return Err(EventError::UnknownVersion(beginning(version)));
        }
        // Some senders write the name as notifications are configured, with `s3:` before it.
        let name = self.event_name.as_deref().unwrap_or_default();
        let name = name.strip_prefix("s3:").unwrap_or(name);
        let (kind, _) = name.split_once(':').unwrap_or((name, ""));
        match kind {
            "ObjectCreated" => s3.object_ref(ObjectKey::parse_form_encoded),
            kind if OTHER_KINDS.contains(&kind) => Err(EventError::NothingNew {
                kind: beginning(name),
                key: s3.object.key.clone(),
            }),
            _ => Err(EventError::UnknownName(beginning(name))),
        }
    }
}

/// For a message: whoever sent the event chose the text.
fn beginning(text: &str) -> String {
    text.chars().take(64).collect()
}

impl S3 {
    /// S3 encodes keys in its own events; EventBridge does not.
    fn object_ref(&self, decode: fn(&str) -> Option<ObjectKey>) -> Result<ObjectRef, EventError> {
        let key = decode(&self.object.key).ok_or(EventError::BadKey)?;
        let etag = match &self.object.etag {
            Value::Null => None,
            Value::String(text) => Some(ETag::parse(text)),
            // It names a version, if one that S3 does not have.
            other => Some(ETag::parse(&other.to_string())),
        };
        Ok(ObjectRef {
            bucket: self.bucket.name.clone(),
            key,
            etag: etag.filter(|etag| !etag.is_unknown()),
        })
    }
}

#[cfg(test)]
mod tests;
