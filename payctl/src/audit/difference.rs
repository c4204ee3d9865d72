//! What an audit names.

use std::fmt;

use lambda_ingest::ingest::IngestError;
use lambda_ingest::objects::ObjectError;
use payment_core::{ObjectKey, PaymentKey};
use payment_store::audit::{Origin, RejectRow, Row};
use serde::Serialize;

use super::counts::Counts;
use crate::output::safe;
use crate::proof::chain::Sight;

/// One way in which the journal and the database do not agree. Nothing of a payment's content is in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Difference {
    #[serde(rename = "difference")]
    pub kind: DifferenceKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<String>,
    /// Absent for the empty name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    pub object: String,
    #[serde(flatten)]
    pub span: Option<ObjectSpan>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Objects of a run, next to each other, of which a difference names the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ObjectSpan {
    pub last_object: String,
    /// How many there are; 0 if the difference is of numbers without an object.
    pub objects: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DifferenceKind {
    /// The journal holds it, and the ledger does not know it.
    ObjectNotIngested,
    /// The ledger knows it, and the journal does not hold it.
    ObjectGone,
    /// An object of this system, which never changes, has other content than when it was ingested.
    ObjectReplaced,
    /// The ledger counted otherwise than its lines count now.
    LedgerDiffers,
    /// A payment of the journal has no row.
    RowMissing,
    /// A row says something else than the line that it was made of.
    RowDiffers,
    /// The id is held by other content, and no row of `conflicts` says so.
    ConflictMissing,
    /// The line is no payment, and no row of `rejects` says so.
    RejectMissing,
    /// A reject says something else than the line that it was made of.
    RejectDiffers,
    /// A line that is to be a row was rejected.
    Rejected,
    /// A row names a line that is not its own.
    RowWithoutRecord,
    /// A row's columns are not what its hash was made of.
    RowAltered,
    /// An object's key claims another payment than the one that it holds.
    KeyDiffers,
    /// An object that another one names is not there.
    ObjectMissing,
    /// An object is not the one that another names.
    ObjectChanged,
    /// An object is none that its run wrote.
    ObjectInserted,
    /// Objects of a run are unknown: nobody says what became of their numbers.
    NumbersMissing,
    /// Two objects say different things of a third.
    HeadersContradict,
    /// A batch without a place in the chain, from after the chain began.
    Unchained,
    /// No object vouches for these any more, by no fault of their own.
    Unvouched,
    /// An hour is not what a checkpoint says.
    HourRewritten,
    /// An object's key names an hour that has not begun.
    HourAhead,
    /// Not a difference, and not known to be right: it rests on what S3 does not hold, or on what nobody can read.
    Unproven,
}

/// A payment as a line or a row names it, rightly or wrongly.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    id: &'a str,
    client: &'a str,
}

impl<'a> From<&'a PaymentKey> for Named<'a> {
    fn from(payment: &'a PaymentKey) -> Self {
        Self {
            id: payment.id.as_str(),
            client: payment.client.as_str(),
        }
    }
}

impl<'a> From<&Row<'a>> for Named<'a> {
    fn from(row: &Row<'a>) -> Self {
        Self {
            id: row.payment_id,
            client: row.client,
        }
    }
}

impl<'a> Named<'a> {
    pub fn by_reject(row: &'a RejectRow) -> Option<Self> {
        let (id, client) = (row.payment_id.as_deref()?, &row.client);
        Some(Self { id, client })
    }

    pub fn by_origin(origin: &'a Origin) -> Option<Self> {
        let (id, client) = (origin.payment_id.as_deref()?, &origin.client);
        Some(Self { id, client })
    }
}

/// An object that could not be looked at, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    #[serde(rename = "unread")]
    pub object: String,
    pub why: String,
}

/// Why an object could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Lines(#[from] IngestError),
    #[error("the database can't be asked")]
    Store(#[from] payment_store::Error),
}

/// Counts, differences and gaps of a part of the work.
#[derive(Debug, Default)]
pub struct Findings {
    pub counts: Counts,
    pub differences: Vec<Difference>,
    pub unread: Vec<Unread>,
    /// The object, if it is to be held against the chain.
    pub sight: Option<Box<Sight>>,
}

impl Difference {
    pub fn of_object(kind: DifferenceKind, key: &ObjectKey, detail: Option<String>) -> Self {
        Self {
            kind,
            payment_id: None,
            client: None,
            object: key.as_str().to_owned(),
            span: None,
            line: None,
            detail,
        }
    }

    pub fn of_line(
        kind: DifferenceKind,
        payment: Option<Named<'_>>,
        object: &str,
        line: u32,
    ) -> Self {
        let client = payment.map(|named| named.client);
        Self {
            kind,
            payment_id: payment.map(|named| named.id.to_owned()),
            client: client.filter(|name| !name.is_empty()).map(str::to_owned),
            object: object.to_owned(),
            span: None,
            line: Some(line),
            detail: None,
        }
    }

    /// How many objects or rows it is about.
    pub fn count(&self) -> u64 {
        self.span.as_ref().map_or(1, |span| span.objects.max(1))
    }

    pub fn with(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<20}", self.kind.name())?;
        if let Some(id) = &self.payment_id {
            write!(f, " {}", safe(id))?;
        }
        if let Some(client) = &self.client {
            write!(f, " of client {}", safe(client))?;
        }
        write!(f, " {}", safe(&self.object))?;
        if let Some(span) = self.span.as_ref().filter(|span| span.objects > 1) {
            write!(f, " … {}", safe(&span.last_object))?;
        }
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        match &self.detail {
            Some(detail) => write!(f, ": {}", safe(detail)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:<20} {}: {}",
            "unread",
            safe(&self.object),
            safe(&self.why)
        )
    }
}

impl DifferenceKind {
    fn name(self) -> &'static str {
        match self {
            Self::ObjectNotIngested => "object not ingested",
            Self::ObjectGone => "object gone",
            Self::ObjectReplaced => "object replaced",
            Self::LedgerDiffers => "ledger differs",
            Self::RowMissing => "row missing",
            Self::RowDiffers => "row differs",
            Self::ConflictMissing => "conflict missing",
            Self::RejectMissing => "reject missing",
            Self::RejectDiffers => "reject differs",
            Self::Rejected => "rejected",
            Self::RowWithoutRecord => "row without a record",
            Self::RowAltered => "row altered",
            Self::KeyDiffers => "key differs",
            Self::ObjectMissing => "object missing",
            Self::ObjectChanged => "object changed",
            Self::ObjectInserted => "object inserted",
            Self::NumbersMissing => "numbers missing",
            Self::HeadersContradict => "headers contradict",
            Self::Unchained => "without a chain",
            Self::Unvouched => "unvouched",
            Self::HourRewritten => "hour rewritten",
            Self::HourAhead => "hour in the future",
            Self::Unproven => "unproven",
        }
    }
}
