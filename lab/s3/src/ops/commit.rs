//! The only way to create an object.

use std::sync::Arc;

use http::Extensions;
use object_store::PutMode;
use s3s::dto::ETagCondition;
use s3s::{S3Error, S3Result, s3_error};
use server_kit::fault::Faults;

use crate::access::Caller;
use crate::clock::Clock;
use crate::fault::kinds;
use crate::front::RequestInfo;
use crate::notify::{Created, EventName, Notifier, Origin};
use crate::store::{Attributes, Bucket, Checksums, Content, Entry, Head, StoreError};

#[derive(Clone)]
pub struct ObjectWriter {
    pub clock: Arc<Clock>,
    pub notifier: Arc<Notifier>,
    pub faults: Arc<Faults>,
}

/// An object that is ready to be stored.
pub struct Draft {
    pub event: EventName,
    pub origin: Origin,
    pub bucket: Arc<Bucket>,
    pub key: String,
    pub condition: Condition,
    pub attributes: Attributes,
    pub etag: String,
    pub checksums: Checksums,
    pub size: u64,
    pub content: Content,
    /// Whether [`kinds::FORGET`] may be injected.
    pub forgettable: bool,
}

/// Preconditions of a write.
pub struct Condition {
    pub if_match: Option<ETagCondition>,
    pub if_none_match: Option<ETagCondition>,
}

impl ObjectWriter {
    /// Stores the object and sends its events.
    ///
    /// Runs to completion even if the client goes away: an interrupted commit would leave an object that no listing and
    /// no event mentions.
    pub async fn commit(&self, draft: Draft) -> S3Result<Head> {
        let writer = self.clone();
        let task = tokio::spawn(async move { writer.run(draft).await });
        task.await
            .unwrap_or_else(|ended| Err(S3Error::internal_error(ended)))
    }

    async fn run(self, draft: Draft) -> S3Result<Head> {
        let lock = draft.bucket.lock(&draft.key).await?;
        let mode = draft.condition.check(lock.entry().as_ref())?;
        let modified = self.clock.stamp();
        let head = Head {
            etag: draft.etag,
            size: draft.size,
            modified,
            retention: draft.bucket.retention.map(|lock| lock.from(modified)),
            attributes: draft.attributes,
            checksums: draft.checksums,
        };
        if draft.forgettable && self.faults.inject(kinds::FORGET).is_some() {
            return Ok(head);
        }
        let created = Created {
            name: draft.event,
            bucket: &draft.bucket.name,
            key: &draft.key,
            head: &head,
            version_id: draft.bucket.version_id(&head),
            origin: &draft.origin,
        };
        let events = self
            .notifier
            .stage(&created)
            .await
            .map_err(S3Error::internal_error)?;
        match lock.write(&head, draft.content, mode).await {
            Ok(()) => {
                events.publish();
                Ok(head)
            }
            Err(error) => {
                events.discard().await;
                Err(error.into())
            }
        }
    }
}

impl Condition {
    /// Returns how to write, if the existing object allows it.
    fn check(&self, found: Option<&Entry>) -> S3Result<PutMode> {
        match (&self.if_match, found) {
            (None, _) | (Some(ETagCondition::Any), Some(_)) => {}
            (Some(ETagCondition::ETag(wanted)), Some(entry)) if wanted.value() == entry.etag => {}
            (Some(_), Some(_)) => return Err(StoreError::Exists.into()),
            (Some(_), None) => {
                return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
            }
        }
        match (&self.if_none_match, found) {
            (None, _) => Ok(PutMode::Overwrite),
            (Some(ETagCondition::Any), None) => Ok(PutMode::Create),
            (Some(ETagCondition::Any), Some(_)) => Err(StoreError::Exists.into()),
            (Some(ETagCondition::ETag(_)), _) => Err(s3_error!(
                NotImplemented,
                "If-None-Match with an ETag is not supported on writes; use *"
            )),
        }
    }
}

/// Returns the origin of a request, for its events.
pub fn origin(extensions: &Extensions) -> S3Result<Origin> {
    let caller = Caller::of(extensions)?;
    let request = RequestInfo::of(extensions)?;
    Ok(Origin {
        principal: format!("AWS:{}", caller.0.role),
        source_ip: request.source_ip,
        request_id: request.id.clone(),
        host_id: request.host_id.clone(),
    })
}
