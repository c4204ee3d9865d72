//! One object, from S3 to rows.

use payment_core::Timestamp;
use payment_core::event::ObjectRef;
use payment_core::record::{self, Line};
use payment_store::{Backend, Outcome, Store};

use crate::objects::{ObjectError, Objects};

/// What became of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ingested {
    /// Its payments are rows; some may have been rows before.
    Stored {
        outcome: Outcome,
        oldest: Option<Timestamp>,
    },
    /// It was ingested earlier: the event came again.
    Already,
    /// It is no longer there, and there is nothing to repeat.
    Gone,
}

/// The object is not ingested, and may be later: the event is to be repeated.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("the object could not be read")]
    Object(#[from] ObjectError),
    #[error("the object could not be stored")]
    Store(#[from] payment_store::Error),
}

pub async fn ingest(
    objects: &impl Objects,
    store: &Store<impl Backend>,
    object: &ObjectRef,
) -> Result<Ingested, IngestError> {
    if object.key.is_folder() || store.is_ingested(&object.key).await? {
        return Ok(Ingested::Already);
    }
    let read = match objects.get(object).await {
        Ok(read) => read,
        Err(ObjectError::Gone) => return Ok(Ingested::Gone),
        Err(error) => return Err(error.into()),
    };
    let lines: Vec<Line> = record::read_object(&object.key, &read.body, read.stored_at).collect();
    let oldest = lines
        .iter()
        .filter_map(|(_, line)| line.as_ref().ok())
        .map(|record| record.received_at)
        .min();
    let outcome = store.ingest_object(&object.key, &lines).await?;
    if outcome.already {
        return Ok(Ingested::Already);
    }
    for (line, error) in lines
        .iter()
        .filter_map(|(line, result)| Some((line, result.as_ref().err()?)))
    {
        tracing::warn!(
            s3_key = object.key.as_str(),
            line,
            reason = error.reason(),
            "a line is no payment"
        );
    }
    Ok(Ingested::Stored { outcome, oldest })
}
