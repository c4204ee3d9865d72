//! A payment as the log keeps it, one JSON object a line, and how objects of the log are read back.
//!
//! Version 1 is fixed. Version 2 adds the member `client`, which the hash covers; a payment without a client is still
//! written as version 1, byte for byte. Version 3 is no payment, but the [`Header`] that begins a batch object. What the
//! hash does not cover (times, ids of the request) may grow with a version 4; readers are brought up before writers.
//!
//! A line of this system was judged when it came in: its reader asks for the form of the record, the hash, and what
//! its row needs, and for no policy. A foreign object, without a member `v`, comes in by the door.

mod rejected;
mod traceparent;

pub use self::rejected::RejectedLine;
pub use self::traceparent::TraceParent;
use crate::canonical::ContentHash;
use crate::chain::{Header, InvalidHeader, header};
use crate::client::ClientName;
use crate::error::ErrorCode;
use crate::hex;
use crate::id::RequestId;
use crate::json::{self, Json, JsonError, Members, RawObject};
use crate::object::Unreadable;
use crate::payment::{BODY_BYTES_MAX, Draft, Payment, PaymentError, known_name};
use crate::timestamp::Timestamp;

/// Levels of nesting of a line: `extra` adds one to what the client sent.
const DEPTH_MAX: usize = json::DEPTH_MAX + 1;

/// The member `v` of a record without a client, and of one with a client.
const V1: &str = "1";
const V2: &str = "2";

/// Longest line of this system, in bytes with its newline. No byte of a body becomes more than three: `\b` is written
/// as `\u0008`. The rest is what the record adds.
pub const LINE_BYTES_MAX: usize = 3 * BODY_BYTES_MAX + 1024;

pub use crate::object::{Line, read_object, read_parts};

/// A payment as the journal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRecord {
    pub payment: Payment,
    pub content_hash: ContentHash,
    /// When the app tier took the payment. For an object of an older system: when S3 stored it.
    pub received_at: Timestamp,
    /// Older systems wrote none.
    pub request_id: Option<RequestId>,
    /// W3C Trace Context of the request.
    pub traceparent: Option<TraceParent>,
}

/// Why a line of the log is no payment. No message holds anything of the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    #[error("{0}")]
    Payment(#[from] PaymentError),
    #[error(
        "the record has a version that this reader does not know; bring the function up to date, then replay"
    )]
    UnsupportedVersion,
    #[error("the record breaks the form of its version at {0}")]
    Malformed(&'static str),
    #[error("the record has no id; give each payment one and upload the object again")]
    NoId,
    #[error("the record's hash does not match its content")]
    HashMismatch,
    /// Where a header may stand, it is no line of its object at all.
    #[error("a header of the chain {0}")]
    Header(#[from] InvalidHeader),
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
}

impl RecordError {
    /// A stable word for the column `reason`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Payment(error) => match error.code() {
                ErrorCode::MalformedJson => "not_json",
                code => code.code(),
            },
            Self::UnsupportedVersion => "unsupported_version",
            Self::Malformed(_) | Self::NoId => "malformed_record",
            Self::HashMismatch => "hash_mismatch",
            Self::Header(_) => "invalid_header",
            Self::Unreadable(unreadable) => unreadable.reason(),
        }
    }
}

impl LogRecord {
    pub fn new(
        payment: Payment,
        received_at: Timestamp,
        request_id: RequestId,
        traceparent: Option<TraceParent>,
    ) -> Self {
        let content_hash = payment.content_hash();
        Self {
            payment,
            content_hash,
            received_at,
            request_id: Some(request_id),
            traceparent,
        }
    }

    /// One line, with its newline: of version 2 if the payment belongs to a client, else of version 1.
    pub fn to_line(&self) -> String {
        let payment = &self.payment;
        let mut line = String::with_capacity(448);
        if payment.client().is_empty() {
            line.push_str("{\"v\":1");
        } else {
            line.push_str("{\"v\":2");
            member("client", Some(payment.client().as_str()), &mut line);
        }
        member("id", Some(payment.id().as_str()), &mut line);
        member("transaction", payment.transaction(), &mut line);
        member(
            "amount",
            payment.amount().map(|a| a.to_string()).as_deref(),
            &mut line,
        );
        member(
            "currency",
            payment.currency().map(crate::Currency::code),
            &mut line,
        );
        member("status", Some(payment.status().as_str()), &mut line);
        member("payer_name", payment.payer_name(), &mut line);
        line.push_str(",\"extra\":");
        json::write_object(&payment.content.extra, &mut line, json::Order::AsSent);
        line.push_str(",\"received_at\":\"");
        self.received_at.push_to(&mut line);
        line.push('"');
        member(
            "request_id",
            self.request_id.as_ref().map(RequestId::as_str),
            &mut line,
        );
        member(
            "traceparent",
            self.traceparent.as_ref().map(TraceParent::as_str),
            &mut line,
        );
        line.push_str(",\"hash\":\"");
        hex::push(self.content_hash.as_bytes(), &mut line);
        line.push_str("\"}\n");
        line
    }

    /// Reads one record: version 1 or 2, or the plain object of an older system, which has no member `v`.
    /// `stored_at` is when S3 stored the object.
    pub fn parse(text: &[u8], stored_at: Timestamp) -> Result<Self, RecordError> {
        let text = std::str::from_utf8(text).map_err(|_| PaymentError::NotUtf8)?;
        let object = RawObject::parse(text)?;
        let version = object.values("v").next();
        match version {
            None => Self::from_older(object.read(json::DEPTH_MAX)?, stored_at),
            Some(V1 | V2) => Self::from_own(object.read(DEPTH_MAX)?, version == Some(V2)),
            Some(header::VERSION) => {
                let header = Header::parse(text.as_bytes());
                Err(header.err().unwrap_or(InvalidHeader::Misplaced).into())
            }
            Some(_) => Err(RecordError::UnsupportedVersion),
        }
    }

    /// Whether this system wrote the line: an older one wrote no request id.
    pub fn is_own(&self) -> bool {
        self.request_id.is_some()
    }

    fn from_older(members: Members<'_>, stored_at: Timestamp) -> Result<Self, RecordError> {
        let payment = with_own_id(Draft::admit(members)?)?;
        let content_hash = payment.content_hash();
        Ok(Self {
            payment,
            content_hash,
            received_at: stored_at,
            request_id: None,
            traceparent: None,
        })
    }

    fn from_own(members: Members<'_>, has_client: bool) -> Result<Self, RecordError> {
        let mut envelope = Envelope::default();
        let mut known = Members::with_capacity(members.len());
        for (name, value) in members {
            match envelope.slot(&name, has_client) {
                Some(slot) => *slot = Some(value),
                None => known.push((name, value)),
            }
        }
        let Some(Json::Object(extra)) = envelope.extra.take() else {
            return Err(RecordError::Malformed("extra"));
        };
        let client = match envelope.client.take() {
            None => ClientName::default(),
            named => required("client", named, |name| name.parse().ok())?,
        };
        envelope.into_record(Payment::from_stored(client, known, extra)?)
    }
}

impl Payment {
    /// A payment that was accepted before, from its line or its row: `known` are the members that have a column.
    pub fn from_stored(
        client: ClientName,
        known: Members<'_>,
        extra: Members<'_>,
    ) -> Result<Self, RecordError> {
        if known.iter().any(|(name, _)| known_name(name).is_none()) {
            return Err(RecordError::Malformed("an unknown member"));
        }
        if extra.iter().any(|(name, _)| known_name(name).is_some()) {
            return Err(RecordError::Malformed("extra"));
        }
        let payment = with_own_id(Draft::storable(known.into_iter().chain(extra))?)?;
        Ok(payment.of_client(client))
    }
}

/// Members of a record that are not the client's content, and `extra`, which holds the rest of it.
#[derive(Default)]
struct Envelope<'a> {
    v: Option<Json<'a>>,
    client: Option<Json<'a>>,
    extra: Option<Json<'a>>,
    received_at: Option<Json<'a>>,
    request_id: Option<Json<'a>>,
    traceparent: Option<Json<'a>>,
    hash: Option<Json<'a>>,
}

impl<'a> Envelope<'a> {
    /// Version 1 has no member `client`.
    fn slot(&mut self, name: &str, has_client: bool) -> Option<&mut Option<Json<'a>>> {
        Some(match name {
            "v" => &mut self.v,
            "client" if has_client => &mut self.client,
            "extra" => &mut self.extra,
            "received_at" => &mut self.received_at,
            "request_id" => &mut self.request_id,
            "traceparent" => &mut self.traceparent,
            "hash" => &mut self.hash,
            _ => return None,
        })
    }

    fn into_record(self, payment: Payment) -> Result<LogRecord, RecordError> {
        let content_hash = payment.content_hash();
        let record = LogRecord {
            content_hash,
            received_at: required("received_at", self.received_at, Timestamp::parse)?,
            request_id: Some(required(
                "request_id",
                self.request_id,
                RequestId::from_stored,
            )?),
            traceparent: match self.traceparent {
                None => None,
                given => Some(required("traceparent", given, TraceParent::parse)?),
            },
            payment,
        };
        let stated = required("hash", self.hash, ContentHash::parse)?;
        if stated == content_hash {
            Ok(record)
        } else {
            Err(RecordError::HashMismatch)
        }
    }
}

fn required<T>(
    name: &'static str,
    value: Option<Json<'_>>,
    parse: fn(&str) -> Option<T>,
) -> Result<T, RecordError> {
    match value {
        Some(Json::String(text)) => parse(&text).ok_or(RecordError::Malformed(name)),
        _ => Err(RecordError::Malformed(name)),
    }
}

/// The log never makes an id: a record without one can't be told from its repeat.
fn with_own_id(draft: Draft) -> Result<Payment, RecordError> {
    let id = draft.id().cloned().ok_or(RecordError::NoId)?;
    Ok(draft.identify(None, || id)?)
}

/// Names hold nothing that is to be escaped.
fn member(name: &str, value: Option<&str>, line: &mut String) {
    if let Some(value) = value {
        line.push_str(",\"");
        line.push_str(name);
        line.push_str("\":");
        json::write_string(value, line);
    }
}

/// Reads one line. `in_own_object`: the object's key says that this system wrote it.
pub(crate) fn read_line(
    text: &[u8],
    in_own_object: bool,
    stored_at: Timestamp,
) -> Result<LogRecord, RejectedLine> {
    LogRecord::parse(text, stored_at).map_err(|error| RejectedLine::new(text, in_own_object, error))
}

impl From<JsonError> for RecordError {
    fn from(error: JsonError) -> Self {
        Self::Payment(PaymentError::Json(error))
    }
}

#[cfg(test)]
mod tests;
