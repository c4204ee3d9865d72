//! One object, from S3 to rows.

use payment_core::event::ObjectRef;
use payment_core::object::Line;
use payment_core::record::TraceParent;
use payment_core::{RejectedLine, RequestId, Timestamp};
use payment_store::{Backend, Outcome, Store};

use crate::objects::{Body as _, ObjectError, Objects};
use crate::parts::{Notes, ObjectParts};

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingested {
    /// Its payments are rows; some may have been rows before.
    Stored {
        outcome: Outcome,
        oldest: Option<Timestamp>,
        ids: Ids,
    },
    /// It was ingested earlier: the event came again.
    Already,
    /// It is no longer there, and there is nothing to repeat.
    Gone,
}

/// Ids of the requests that brought an object's payments, in line order, separated by spaces: one line of the
/// log for the whole object, in which each can be found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ids {
    pub requests: String,
    pub traces: String,
}

impl Ids {
    pub(crate) fn add(&mut self, lines: &[Line]) {
        for record in lines.iter().filter_map(|(_, line)| line.as_ref().ok()) {
            let request = record.request_id.as_ref().map(RequestId::as_str);
            push(&mut self.requests, request);
            let trace = record.traceparent.as_ref().map(TraceParent::trace_id);
            push(&mut self.traces, trace);
        }
    }
}

/// A line of this system's own was accepted, and is to be a row.
fn log_rejected(s3_key: &str, line: u32, rejected: &RejectedLine) {
    let reason = rejected.error.reason();
    if rejected.is_own {
        tracing::error!(s3_key, line, reason, "an accepted payment was rejected");
    } else {
        tracing::warn!(s3_key, line, reason, "a line is no payment");
    }
}

fn push(list: &mut String, id: Option<&str>) {
    let Some(id) = id else { return };
    if !list.is_empty() {
        list.push(' ');
    }
    list.push_str(id);
}

/// The object is not ingested, and may be later: the event is to be repeated.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("the object could not be read")]
    Object(#[from] ObjectError),
    #[error("the object could not be stored")]
    Store(#[from] payment_store::Error),
    #[error("the run ended before the object was ingested")]
    OutOfTime,
    #[error(
        "the key is that of a folder and the object is not empty; copy it to a key that does not end in /"
    )]
    FilledFolder,
}

/// An object, of which a small one's body is there. The database has not been asked.
#[derive(Debug)]
pub enum Content<'a, O: Objects> {
    Parts(Box<ObjectParts<'a, O>>),
    /// A folder that a console made: nothing is in it.
    Folder,
    Gone,
}

impl<O: Objects> Content<'_, O> {
    /// Whether memory has room for the next object besides this one.
    pub fn is_small(&self) -> bool {
        match self {
            Self::Parts(parts) => parts.is_small(),
            Self::Folder | Self::Gone => true,
        }
    }

    /// Reads what can be read before the database has its turn.
    async fn read_ahead(&mut self) -> Result<(), IngestError> {
        match self {
            Self::Parts(parts) => Ok(parts.read_ahead().await?),
            Self::Folder | Self::Gone => Ok(()),
        }
    }
}

pub async fn ingest(
    objects: &impl Objects,
    store: &Store<impl Backend>,
    object: &ObjectRef,
) -> Result<Ingested, IngestError> {
    record(store, read(objects, object).await?).await
}

/// The first half, while another object has its second.
pub async fn read_ahead<'a, O: Objects>(
    objects: &'a O,
    object: &ObjectRef,
) -> Result<Content<'a, O>, IngestError> {
    let mut content = read(objects, object).await?;
    content.read_ahead().await?;
    Ok(content)
}

/// The first half. One that was ingested before is fetched again: that is rare, and cheaper than asking each time.
pub async fn read<'a, O: Objects>(
    objects: &'a O,
    object: &ObjectRef,
) -> Result<Content<'a, O>, IngestError> {
    if object.key.is_folder() {
        return read_folder(objects, object).await;
    }
    match ObjectParts::open(objects, object).await {
        Ok(parts) => Ok(Content::Parts(Box::new(parts))),
        Err(ObjectError::Gone) => Ok(Content::Gone),
        Err(error) => Err(error.into()),
    }
}

/// Nothing but an empty object is passed over as a folder.
async fn read_folder<'a, O: Objects>(
    objects: &'a O,
    object: &ObjectRef,
) -> Result<Content<'a, O>, IngestError> {
    let mut body = match objects.open(object).await {
        Ok(opened) => opened.body,
        Err(ObjectError::Gone) => return Ok(Content::Gone),
        Err(error) => return Err(error.into()),
    };
    while let Some(piece) = body.next().await? {
        if !piece.is_empty() {
            return Err(IngestError::FilledFolder);
        }
    }
    Ok(Content::Folder)
}

/// The second half.
pub async fn record<O: Objects>(
    store: &Store<impl Backend>,
    content: Content<'_, O>,
) -> Result<Ingested, IngestError> {
    let mut parts = match content {
        Content::Parts(parts) => parts,
        Content::Folder => return Ok(Ingested::Already),
        Content::Gone => return Ok(Ingested::Gone),
    };
    let version = parts.version().clone();
    let outcome = store.ingest_parts(&version, &mut *parts).await?;
    if outcome.already {
        return Ok(Ingested::Already);
    }
    let Notes {
        oldest,
        ids,
        rejects,
        ..
    } = parts.into_notes();
    for (line, rejected) in &rejects {
        log_rejected(version.key.as_str(), *line, rejected);
    }
    if outcome.own_rejects > 0 {
        tracing::error!(
            s3_key = version.key.as_str(),
            own_rejects = outcome.own_rejects,
            "accepted payments were rejected, which the lines before this one explain: bring the function up to date, or the \
             table back to what payctl migrate made, then run payctl replay --rejects"
        );
    }
    Ok(Ingested::Stored {
        outcome,
        oldest,
        ids,
    })
}
