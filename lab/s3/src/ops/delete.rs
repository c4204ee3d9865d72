//! `DeleteObject` and `DeleteObjects`.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject,
    Error,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Ops;
use crate::access::{Caller, context};
use crate::store::Bucket;

/// Most keys of one `DeleteObjects`.
const MAX_KEYS: usize = 1000;

impl Ops {
    /// Succeeds if there is no such object.
    pub(super) async fn delete(
        &self,
        req: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        if input.version_id.is_some() || input.if_match.is_some() {
            return Err(s3_error!(
                NotImplemented,
                "versionId and If-Match are not supported on deletes"
            ));
        }
        let bucket = self.store.bucket(&input.bucket)?;
        bucket.lock(&input.key).await?.delete().await?;
        let mut answer = S3Response::new(DeleteObjectOutput::default());
        answer.status = Some(http::StatusCode::NO_CONTENT);
        Ok(answer)
    }

    pub(super) async fn delete_many(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let caller = Caller::of(&req.extensions)?;
        let bucket = self.store.bucket(&req.input.bucket)?;
        let request = req.input.delete;
        if request.objects.is_empty() || request.objects.len() > MAX_KEYS {
            return Err(s3_error!(
                MalformedXML,
                "Between 1 and {MAX_KEYS} keys can be deleted at once"
            ));
        }
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for object in request.objects {
            match self.delete_one(caller, &bucket, &object.key).await {
                Ok(()) => deleted.push(DeletedObject {
                    key: Some(object.key),
                    ..DeletedObject::default()
                }),
                Err(error) => errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    message: error.message().map(str::to_owned),
                    key: Some(object.key),
                    version_id: None,
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

    async fn delete_one(&self, caller: &Caller, bucket: &Bucket, key: &str) -> S3Result<()> {
        let context = context::of_caller(caller);
        self.access
            .authorize(caller, "s3:DeleteObject", &bucket.name, Some(key), &context)?;
        Ok(bucket.lock(key).await?.delete().await?)
    }
}
