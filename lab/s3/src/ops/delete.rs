//! `DeleteObject` and `DeleteObjects`.

use std::sync::Arc;

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error,
};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use super::versions::named_version;
use crate::access::{Caller, context};
use crate::store::Bucket;

/// Most keys of one `DeleteObjects`.
const MAX_KEYS: usize = 1000;

/// What to delete.
struct Deletion {
    key: String,
    version_id: Option<String>,
    /// Whether to pass over a retention in GOVERNANCE mode.
    bypass: bool,
}

/// What a deletion did.
struct Deleted {
    /// The version that was deleted or, if none was named, the new delete marker.
    version_id: Option<String>,
    is_delete_marker: bool,
}

impl Ops {
    /// Succeeds if there is no such object.
    pub(super) async fn delete(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let caller = Caller::of(&req.extensions)?;
        let input = req.input;
        if input.if_match.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "If-Match is not supported on deletes"
            ));
        }
        let bucket = self.store.bucket(&input.bucket)?;
        let deletion = Deletion {
            key: input.key,
            version_id: input.version_id,
            bypass: input.bypass_governance_retention.unwrap_or(false),
        };
        let deleted = self.delete_one(caller, bucket, deletion).await?;
        let mut answer = S3Response::new(DeleteObjectOutput {
            delete_marker: deleted.is_delete_marker.then_some(true),
            version_id: deleted.version_id,
            ..DeleteObjectOutput::default()
        });
        answer.status = Some(http::StatusCode::NO_CONTENT);
        Ok(answer)
    }

    pub(super) async fn delete_many(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let caller = Caller::of(&req.extensions)?;
        let bucket = self.store.bucket(&req.input.bucket)?;
        let bypass = req.input.bypass_governance_retention.unwrap_or(false);
        let request = req.input.delete;
        if request.objects.is_empty() || request.objects.len() > MAX_KEYS {
            return Err(s3_error!(
                MalformedXML,
                "Between 1 and {MAX_KEYS} keys can be deleted at once"
            ));
        }
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in request.objects {
            let deletion = Deletion {
                key: object.key.clone(),
                version_id: object.version_id.clone(),
                bypass,
            };
            match self.delete_named(caller, &bucket, deletion).await {
                Ok(done) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    version_id: object.version_id,
                    delete_marker: done.is_delete_marker.then_some(true),
                    delete_marker_version_id: done.version_id.filter(|_| done.is_delete_marker),
                }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    key: Some(object.key),
                    version_id: object.version_id,
                }),
            }
        }
        let quiet = request.quiet.unwrap_or(false);
        Ok(S3Response::new(DeleteObjectsOutput {
            deleted: (!quiet && !deleted.is_empty()).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..DeleteObjectsOutput::default()
        }))
    }

    /// Deletes one of the keys in a request's body, which nobody has authorized yet.
    async fn delete_named(
        &self,
        caller: &Caller,
        bucket: &Arc<Bucket>,
        deletion: Deletion,
    ) -> S3Result<Deleted> {
        let action = match deletion.version_id {
            Some(_) => "s3:DeleteObjectVersion",
            None => "s3:DeleteObject",
        };
        let context = context::of_caller(caller);
        self.access
            .authorize(caller, action, &bucket.name, Some(&deletion.key), &context)?;
        self.delete_one(caller, Arc::clone(bucket), deletion).await
    }

    /// Runs to completion even if the client goes away: an interrupted delete would leave files that the index does not
    /// know.
    async fn delete_one(
        &self,
        caller: &Caller,
        bucket: Arc<Bucket>,
        deletion: Deletion,
    ) -> S3Result<Deleted> {
        let Deletion {
            key,
            version_id,
            bypass,
        } = deletion;
        let version = named_version(&bucket, version_id.as_deref())?;
        if bypass && version.is_some() {
            let context = context::of_caller(caller);
            let action = "s3:BypassGovernanceRetention";
            self.access
                .authorize(caller, action, &bucket.name, Some(&key), &context)?;
        }
        let clock = Arc::clone(&self.writer.clock);
        let task = tokio::spawn(async move {
            let lock = bucket.lock(&key).await?;
            let now = clock.stamp();
            if let Some(id) = version {
                return Ok(Deleted {
                    version_id,
                    is_delete_marker: lock.delete_version(id, now, bypass).await?,
                });
            }
            lock.delete(now).await?;
            Ok(Deleted {
                version_id: bucket.versioned.then(|| now.to_string()),
                is_delete_marker: bucket.versioned,
            })
        });
        task.await
            .unwrap_or_else(|ended| Err(S3Error::internal_error(ended)))
    }
}
