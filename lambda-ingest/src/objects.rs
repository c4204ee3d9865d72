//! The bucket, as the function reads it.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::DateTime;
use bytes::Bytes;
use payment_core::event::ObjectRef;
use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};

/// Largest object that is read. The app tier writes some 1 MiB; older systems one payment.
const OBJECT_BYTES_MAX: i64 = 64 * 1024 * 1024;

/// An object as it is stored.
#[derive(Debug)]
pub struct Object {
    pub version: ObjectVersion,
    pub body: Bytes,
}

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("the object is gone")]
    Gone,
    #[error(
        "the object is larger than {OBJECT_BYTES_MAX} bytes; split it, then send its event again"
    )]
    TooLarge,
    #[error(
        "S3 refused: the role needs s3:GetObject and s3:ListBucket on the prefix, and kms:Decrypt for aws:kms: {0}"
    )]
    Denied(String),
    #[error(
        "S3 can't be reached; in a VPC the subnet's route table needs an S3 gateway endpoint: {0}"
    )]
    Unreachable(String),
    #[error("S3 failed: {0}")]
    Failed(String),
}

/// Read access to the log.
pub trait Objects: Send + Sync {
    fn get(&self, object: &ObjectRef) -> impl Future<Output = Result<Object, ObjectError>> + Send;

    /// One page of the objects right under `prefix`, and where the next page goes on.
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        page: Option<String>,
    ) -> impl Future<Output = Result<(Vec<ObjectVersion>, Option<String>), ObjectError>> + Send;
}

#[derive(Debug)]
pub struct S3Objects {
    client: Client,
}

impl S3Objects {
    pub fn new(client: Client) -> Self {
        Self { client }
    }
}

impl Objects for S3Objects {
    async fn get(&self, object: &ObjectRef) -> Result<Object, ObjectError> {
        let request = self
            .client
            .get_object()
            .bucket(&object.bucket)
            .key(object.key.as_str());
        let answer = request.send().await.map_err(|error| classify(&error))?;
        if answer
            .content_length()
            .is_some_and(|length| length > OBJECT_BYTES_MAX)
        {
            return Err(ObjectError::TooLarge);
        }
        let version = version(object.key.clone(), answer.e_tag(), answer.last_modified());
        let body = answer
            .body
            .collect()
            .await
            .map_err(|e| ObjectError::Failed(DisplayErrorContext(&e).to_string()))?;
        Ok(Object {
            version,
            body: body.into_bytes(),
        })
    }

    async fn list(
        &self,
        bucket: &str,
        prefix: &str,
        page: Option<String>,
    ) -> Result<(Vec<ObjectVersion>, Option<String>), ObjectError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .delimiter("/");
        let answer = request
            .set_continuation_token(page)
            .send()
            .await
            .map_err(|error| classify(&error))?;
        let listed = answer.contents().iter().filter_map(|object| {
            let key = ObjectKey::parse(object.key()?)?;
            Some(version(key, object.e_tag(), object.last_modified()))
        });
        Ok((
            listed.collect(),
            answer.next_continuation_token().map(str::to_owned),
        ))
    }
}

/// As S3's answers name a version.
pub fn version(
    key: ObjectKey,
    etag: Option<&str>,
    last_modified: Option<&DateTime>,
) -> ObjectVersion {
    let millis = last_modified.and_then(|moment| moment.to_millis().ok());
    ObjectVersion {
        key,
        etag: etag.map_or_else(ETag::unknown, ETag::parse),
        stored_at: millis
            .and_then(Timestamp::from_unix_millis)
            .unwrap_or(Timestamp::EPOCH),
    }
}

fn classify<E>(error: &SdkError<E>) -> ObjectError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let text = DisplayErrorContext(error).to_string();
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    match (error, status) {
        _ if error.code() == Some("NoSuchKey") => ObjectError::Gone,
        (SdkError::TimeoutError(_) | SdkError::DispatchFailure(_), _) => {
            ObjectError::Unreachable(text)
        }
        (_, Some(403)) => ObjectError::Denied(text),
        _ => ObjectError::Failed(text),
    }
}
