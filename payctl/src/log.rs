//! The log in S3: listed in the order of its keys, and read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_clients::failure;
use aws_clients::s3::{self, Bounds, NoRegion};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use lambda_ingest::objects::{LISTED_KEYS, Object, ObjectError, Objects as _, S3Objects, listed};
use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, ObjectVersion};
use payment_store::Store;
use payment_store::audit::KeySpan;

use crate::config::Place;
use crate::range::Segment;

/// A tool waits longer than a tier may: objects of 64 MiB come over slow lines, too.
const S3_CALL: Bounds = Bounds {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(30),
    operation: Duration::from_mins(2),
    attempts: 5,
};

#[derive(Debug)]
pub struct Log {
    pub place: Place,
    client: Client,
    objects: Arc<S3Objects>,
}

/// An object as the listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub version: ObjectVersion,
    pub bytes: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("the bucket can't be listed; the credentials need s3:ListBucket on it: {0}")]
pub struct ListError(String);

#[derive(Debug, thiserror::Error)]
#[error(
    "LOG_PREFIX: the bucket has no key that starts with {prefix:?}, and others, such as {other:?}; is it spelt right?"
)]
pub struct WrongPrefix {
    prefix: String,
    other: String,
}

/// The objects of one segment, a page at a time.
#[derive(Debug)]
pub struct Listing<'a> {
    log: &'a Log,
    prefix: String,
    span: KeySpan,
    page: VecDeque<Listed>,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    Page(String),
    End,
}

impl Log {
    pub async fn open(place: Place) -> Result<Self, NoRegion> {
        let client = s3::client(S3_CALL).await?;
        Ok(Self {
            place,
            objects: Arc::new(S3Objects::new(client.clone())),
            client,
        })
    }

    /// The bucket, as the function's own code takes it.
    pub fn objects(&self) -> Arc<S3Objects> {
        Arc::clone(&self.objects)
    }

    pub fn reference(&self, key: &ObjectKey) -> ObjectRef {
        ObjectRef {
            bucket: self.place.bucket.clone(),
            key: key.clone(),
        }
    }

    pub async fn get(&self, key: &ObjectKey) -> Result<Object, ObjectError> {
        self.objects.get(&self.reference(key)).await
    }

    /// The objects of a segment, where it has any.
    pub fn list(&self, segment: Segment) -> Option<Listing<'_>> {
        Some(Listing {
            log: self,
            prefix: segment.list?,
            span: segment.span,
            page: VecDeque::new(),
            next: Next::First,
        })
    }

    /// Refuses a prefix under which there is nothing, and never was, in a bucket that has other keys: it is misspelt.
    /// What can't be looked at here is left to the work itself.
    pub async fn expect_prefix(&self, store: &Store) -> Result<(), WrongPrefix> {
        let prefix = &self.place.prefix;
        let Ok(None) = self.any_key(prefix).await else {
            return Ok(());
        };
        let Ok(Some(other)) = self.any_key("").await else {
            return Ok(());
        };
        let span = KeySpan {
            after: prefix.clone(),
            before: Some(format!("{prefix}\u{10FFFF}")),
        };
        match store.ledger_page(&span, None).await {
            Ok(entries) if entries.is_empty() => Err(WrongPrefix {
                prefix: prefix.clone(),
                other,
            }),
            _ => Ok(()),
        }
    }

    /// A key with this prefix, if there is one.
    async fn any_key(&self, prefix: &str) -> Result<Option<String>, ListError> {
        let request = self.client.list_objects_v2().bucket(&self.place.bucket);
        let request = request.prefix(prefix).encoding_type(LISTED_KEYS);
        let answer = request.max_keys(1).send().await;
        let answer = answer.map_err(|error| list_error(&error))?;
        let first = answer.contents().first().and_then(listed);
        Ok(first.map(|object| object.key.to_string()))
    }
}

fn list_error<E>(error: &SdkError<E>) -> ListError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    ListError(failure::text(error))
}

impl Listing<'_> {
    pub async fn next(&mut self) -> Result<Option<Listed>, ListError> {
        loop {
            if let Some(listed) = self.page.pop_front() {
                return Ok(Some(listed));
            }
            let (start, token) = match std::mem::replace(&mut self.next, Next::End) {
                Next::First => (Some(self.span.after.clone()), None),
                Next::Page(token) => (None, Some(token)),
                Next::End => return Ok(None),
            };
            self.fetch(start.filter(|key| !key.is_empty()), token)
                .await?;
        }
    }

    async fn fetch(
        &mut self,
        start_after: Option<String>,
        token: Option<String>,
    ) -> Result<(), ListError> {
        let request = self
            .log
            .client
            .list_objects_v2()
            .bucket(&self.log.place.bucket)
            .prefix(&self.prefix)
            .encoding_type(LISTED_KEYS)
            .set_start_after(start_after)
            .set_continuation_token(token);
        let answer = request.send().await.map_err(|error| list_error(&error))?;
        let span = &self.span;
        let is_past = |key: &str| span.before.as_deref().is_some_and(|before| key >= before);
        let last = answer.contents().last().and_then(listed);
        self.page = answer
            .contents()
            .iter()
            .filter_map(|object| {
                let version = listed(object)?;
                let size = object.size().and_then(|size| size.try_into().ok());
                let bytes = size.unwrap_or(0);
                Some(Listed { version, bytes })
            })
            .filter(|Listed { version, bytes }| {
                // A console marks a folder by an object without content.
                let is_mark = version.key.is_folder() && *bytes == 0;
                !is_mark && span.contains(version.key.as_str())
            })
            .collect();
        if !last.is_some_and(|last| is_past(last.key.as_str()))
            && let Some(token) = answer.next_continuation_token()
        {
            self.next = Next::Page(token.to_owned());
        }
        Ok(())
    }
}
