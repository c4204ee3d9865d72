//! The bucket, as the function reads it.

use std::fmt;

use aws_clients::failure;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{EncodingType, Object as S3Object};
use bytes::{Bytes, BytesMut};
use payment_core::event::ObjectRef;
use payment_core::object::OBJECT_BYTES_MAX;
use payment_core::{ETag, ObjectKey, ObjectVersion, Timestamp};
use program::chain;

/// An object as it is stored.
#[derive(Debug)]
pub struct Object {
    pub version: ObjectVersion,
    pub body: Bytes,
}

/// An object whose body is still to be read.
#[derive(Debug)]
pub struct Opened<B> {
    pub version: ObjectVersion,
    /// Length of the body, if S3 says it.
    pub bytes: Option<u64>,
    pub body: B,
}

/// The body of an object, piece by piece.
pub trait Body: Send + fmt::Debug {
    /// `None` at the end, after the whole body has arrived as it was stored.
    fn next(&mut self) -> impl Future<Output = Result<Option<Bytes>, ObjectError>> + Send;
}

/// One page of a listing, sorted by key.
#[derive(Debug, Default)]
pub struct Page {
    pub objects: Vec<ObjectVersion>,
    /// Whether keys follow that are not on this page.
    pub has_more: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    #[error("the object is gone")]
    Gone,
    #[error("the object was replaced while it was read; its new content is another version")]
    Replaced,
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
    type Body: Body;

    fn open(
        &self,
        object: &ObjectRef,
    ) -> impl Future<Output = Result<Opened<Self::Body>, ObjectError>> + Send;

    /// The whole object in memory; of one that is too large for the function, as much as shows that.
    fn get(&self, object: &ObjectRef) -> impl Future<Output = Result<Object, ObjectError>> + Send {
        async {
            let Opened {
                version, mut body, ..
            } = self.open(object).await?;
            let mut bytes = BytesMut::new();
            while bytes.len() <= OBJECT_BYTES_MAX
                && let Some(piece) = body.next().await?
            {
                bytes.extend_from_slice(&piece);
            }
            Ok(Object {
                version,
                body: bytes.freeze(),
            })
        }
    }

    /// The first page of the keys that start with `prefix` and sort behind `after`.
    fn list(
        &self,
        bucket: &str,
        prefix: &str,
        after: &str,
    ) -> impl Future<Output = Result<Page, ObjectError>> + Send;
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
    type Body = ByteStream;

    async fn open(&self, object: &ObjectRef) -> Result<Opened<ByteStream>, ObjectError> {
        let request = self
            .client
            .get_object()
            .bucket(&object.bucket)
            .key(object.key.as_str());
        let answer = request.send().await.map_err(|error| classify(&error))?;
        if let Some(range) = answer.content_range() {
            return Err(ObjectError::Failed(format!(
                "a part came that nobody asked for: {range}"
            )));
        }
        let version = version(object.key.clone(), answer.e_tag(), answer.last_modified());
        Ok(Opened {
            version: version.ok_or_else(|| ObjectError::Failed(NOT_S3.to_owned()))?,
            bytes: answer
                .content_length()
                .and_then(|bytes| bytes.try_into().ok()),
            body: answer.body,
        })
    }

    async fn list(&self, bucket: &str, prefix: &str, after: &str) -> Result<Page, ObjectError> {
        let request = self
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .encoding_type(LISTED_KEYS)
            .set_start_after((!after.is_empty()).then(|| after.to_owned()));
        let answer = request.send().await.map_err(|error| classify(&error))?;
        let has_more = has_more(&answer).map_err(ObjectError::Failed)?;
        Ok(Page {
            objects: answer.contents().iter().filter_map(listed).collect(),
            has_more,
        })
    }
}

/// The SDK compares the checksum before it says that this is the end.
impl Body for ByteStream {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        let piece = ByteStream::next(self).await.transpose();
        piece.map_err(|error| ObjectError::Failed(chain(&error)))
    }
}

/// How a listing writes its keys: XML has no way to write every one of them.
pub const LISTED_KEYS: EncodingType = EncodingType::Url;

/// A proxy answers for S3, or half an answer came.
const NOT_S3: &str = "the answer has no ETag and no time of an object, as one of S3 has";

/// Whether keys follow that are not on this page of a listing. Refuses a page that does not say so, or that has less than
/// it counts: XML that broke off is taken for a whole page by the SDK.
pub fn has_more(page: &ListObjectsV2Output) -> Result<bool, String> {
    let has = page.contents().len() + page.common_prefixes().len();
    let counted = page
        .key_count()
        .and_then(|count| usize::try_from(count).ok());
    match (counted, page.is_truncated()) {
        (Some(counted), Some(has_more)) if counted == has => Ok(has_more),
        (counted, _) => Err(format!(
            "the listing is not whole: it has {has} keys and counts {}",
            counted.map_or_else(|| "none".to_owned(), |counted| counted.to_string()),
        )),
    }
}

/// An object of a listing that was asked for with [`LISTED_KEYS`].
pub fn listed(object: &S3Object) -> Option<ObjectVersion> {
    let key = ObjectKey::parse_form_encoded(object.key()?)?;
    version(key, object.e_tag(), object.last_modified())
}

/// S3 says both of every object.
fn version(
    key: ObjectKey,
    etag: Option<&str>,
    last_modified: Option<&DateTime>,
) -> Option<ObjectVersion> {
    let etag = ETag::parse(etag?);
    let stored_at = Timestamp::from_unix_millis(last_modified?.to_millis().ok()?)?;
    let version = ObjectVersion {
        key,
        etag,
        stored_at,
    };
    (!version.etag.is_unknown()).then_some(version)
}

fn classify<E>(error: &SdkError<E>) -> ObjectError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let text = failure::text(error);
    match error {
        _ if error.code() == Some("NoSuchKey") => ObjectError::Gone,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => ObjectError::Unreachable(text),
        _ if failure::is_denied(error) => ObjectError::Denied(text),
        _ => ObjectError::Failed(text),
    }
}
