//! The journal: a bucket into which objects are put once and never changed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_clients::failure;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use axum::BoxError;
use bytes::Bytes;
use payment_core::ObjectKey;
use program::chain;

/// Refusals after which the same PUT may succeed at once: the body was damaged on its way, or another PUT of the same
/// key is in progress, after which the answer is 200 or 412.
const REPEATED: [&str; 2] = ["BadDigest", "ConditionalRequestConflict"];

/// Most PUTs of one object that are answered by one of [`REPEATED`].
const REPEATED_MAX: usize = 3;

const NO_ETAG: &str = "the answer names no ETag, as S3 does of each object that it stored; check what AWS_ENDPOINT_URL_S3 leads to";
const NEVER_SENT: &str = "S3 has an object under a key that nothing was sent to before";

/// How often a PUT was sent: the SDK repeats by itself what was not answered.
#[derive(Debug, Clone, Default)]
struct Sent(Arc<AtomicU32>);

impl Sent {
    fn is_repeated(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 1
    }
}

impl Intercept for Sent {
    fn name(&self) -> &'static str {
        "Sent"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// An append-only store of objects.
pub trait Journal: Send + Sync + 'static {
    /// Puts an object unless its key is taken. `Ok` means that S3 holds the object durably.
    fn put(
        &self,
        key: &ObjectKey,
        body: Bytes,
    ) -> impl Future<Output = Result<Put, JournalError>> + Send;

    /// Only [`crate::committer::Layout::Object`] reads.
    fn get(&self, key: &ObjectKey) -> impl Future<Output = Result<Bytes, JournalError>> + Send;
}

/// Shared by those that put.
impl<J: Journal> Journal for Arc<J> {
    async fn put(&self, key: &ObjectKey, body: Bytes) -> Result<Put, JournalError> {
        J::put(self, key, body).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, JournalError> {
        J::get(self, key).await
    }
}

/// Outcome of a PUT that S3 answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    Stored,
    AlreadyThere,
}

/// S3 did not confirm. `detail` is for this system's log alone.
#[derive(Debug, thiserror::Error)]
#[error("{action} failed: {detail}{hint}")]
pub struct JournalError {
    action: &'static str,
    detail: String,
    hint: &'static str,
}

impl JournalError {
    pub fn new(action: &'static str, detail: String, denied: bool) -> Self {
        let hint = match (denied, action) {
            (false, _) => "",
            (true, "GET") => "; LOG_LAYOUT=object needs s3:GetObject on the prefix",
            (true, _) => {
                "; check that the role may s3:PutObject on this prefix, that the bucket policy's encryption header \
                 is the one of S3_SSE, and with aws:kms that the role may kms:GenerateDataKey on the key"
            }
        };
        Self {
            action,
            detail,
            hint,
        }
    }

    /// The one line about a PUT that failed, however many payments it held.
    pub(crate) fn log(&self, key: &ObjectKey, records: usize) {
        tracing::error!(s3_key = key.as_str(), records, error = %self, "payments were not stored");
    }
}

/// Encryption that each PUT asks for by name, since bucket policies may demand the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    S3,
    Kms {
        key_id: Option<String>,
    },
    /// The bucket's default, for servers that do not know the header.
    Unstated,
}

/// The journal in a bucket of S3.
#[derive(Debug)]
pub struct S3Journal {
    client: Client,
    bucket: String,
    encryption: Encryption,
}

impl S3Journal {
    pub fn new(client: Client, bucket: String, encryption: Encryption) -> Self {
        Self {
            client,
            bucket,
            encryption,
        }
    }

    fn request(&self, key: &ObjectKey, body: Bytes) -> PutObjectFluentBuilder {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .if_none_match("*")
            .content_type(if key.is_batch() {
                "application/x-ndjson"
            } else {
                "application/json"
            })
            .body(ByteStream::from(body));
        match &self.encryption {
            Encryption::S3 => request.server_side_encryption(ServerSideEncryption::Aes256),
            Encryption::Kms { key_id } => request
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .set_ssekms_key_id(key_id.clone()),
            Encryption::Unstated => request,
        }
    }
}

impl Journal for S3Journal {
    async fn put(&self, key: &ObjectKey, body: Bytes) -> Result<Put, JournalError> {
        let failed = |detail, denied| Err(JournalError::new("PUT", detail, denied));
        let sent = Sent::default();
        let mut tries = 1;
        loop {
            let request = self.request(key, body.clone()).customize();
            let error = match request.interceptor(sent.clone()).send().await {
                Ok(stored) if stored.e_tag().is_some() => return Ok(Put::Stored),
                Ok(_) => return failed(NO_ETAG.to_owned(), false),
                Err(error) => error,
            };
            match status_and_code(&error) {
                // The key of a batch is used once.
                (Some(412), _) if key.is_batch() && !sent.is_repeated() => {
                    return failed(NEVER_SENT.to_owned(), false);
                }
                (Some(412), _) => return Ok(Put::AlreadyThere),
                (_, Some(code)) if REPEATED.contains(&code) && tries < REPEATED_MAX => tries += 1,
                _ => return failed(failure::text(&error), failure::is_denied(&error)),
            }
        }
    }

    async fn get(&self, key: &ObjectKey) -> Result<Bytes, JournalError> {
        let sent = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key.as_str())
            .send()
            .await;
        let object = sent.map_err(|error| {
            JournalError::new("GET", failure::text(&error), failure::is_denied(&error))
        })?;
        let body = object.body.collect().await;
        Ok(body
            .map_err(|error| JournalError::new("GET", chain(&error), false))?
            .into_bytes())
    }
}

fn status_and_code(error: &SdkError<PutObjectError>) -> (Option<u16>, Option<&str>) {
    (
        error
            .raw_response()
            .map(|response| response.status().as_u16()),
        error.code(),
    )
}
