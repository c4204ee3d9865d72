//! The log in S3: listed in the order of its keys, and read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_clients::failure;
use aws_clients::s3::{self, Bounds, NoRegion};
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::Object as S3Object;
use lambda_ingest::objects::{
    LISTED_KEYS, Object, ObjectError, Objects as _, S3Objects, has_more, listed,
};
use lambda_ingest::parts::ObjectParts;
use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, ObjectVersion};
use payment_store::Store;
use payment_store::audit::KeySpan;

use crate::config::JournalLocation;
use crate::outcome::Failure;
use crate::range::Segment;

/// A tool waits longer than a tier may: objects of 64 MiB come over slow lines, too.
const S3_CALL: Bounds = Bounds {
    connect: Duration::from_secs(3),
    attempt: Duration::from_secs(30),
    operation: Duration::from_mins(2),
    attempts: 5,
};

#[derive(Debug)]
pub struct Journal {
    pub place: JournalLocation,
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
pub enum ListError {
    #[error("the bucket can't be listed; the credentials need s3:ListBucket on it: {0}")]
    Denied(String),
    #[error("the bucket can't be listed: {0}")]
    Failed(String),
}

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
    log: &'a Journal,
    prefix: String,
    span: KeySpan,
    page: VecDeque<Listed>,
    next: Next,
}

/// What stands directly in a folder: a page of it.
#[derive(Debug)]
pub struct FolderPage {
    pub objects: Vec<Listed>,
    /// What the keys of the folders in it start with.
    pub folders: Vec<String>,
    /// Where the next page goes on.
    pub next: Option<String>,
}

#[derive(Debug)]
enum Next {
    First,
    Page(String),
    End,
}

impl Journal {
    pub async fn open(place: JournalLocation) -> Result<Self, NoRegion> {
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
            etag: None,
        }
    }

    pub async fn get(&self, key: &ObjectKey) -> Result<Object, ObjectError> {
        self.objects.get(&self.reference(key)).await
    }

    /// The object, if it is there.
    pub async fn find(&self, key: &ObjectKey) -> Result<Option<Object>, ObjectError> {
        match self.get(key).await {
            Ok(object) => Ok(Some(object)),
            Err(ObjectError::Gone) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object, to be read part by part, so that its size does not matter.
    pub async fn parts(&self, key: &ObjectKey) -> Result<ObjectParts<'_, S3Objects>, ObjectError> {
        ObjectParts::open(&*self.objects, &self.reference(key)).await
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

    /// What stands directly in a folder, a page at a time; `page` is where the one before goes on.
    pub async fn folder(
        &self,
        prefix: &str,
        page: Option<String>,
    ) -> Result<FolderPage, ListError> {
        let request = self.client.list_objects_v2().bucket(&self.place.bucket);
        let request = request.prefix(prefix).delimiter("/");
        let request = request.encoding_type(LISTED_KEYS);
        let answer = request.set_continuation_token(page).send().await;
        let answer = answer.map_err(|error| list_error(&error))?;
        let names = answer.common_prefixes().iter();
        let folders = names.map(|folder| {
            let name = folder.prefix().unwrap_or_default();
            let key = ObjectKey::parse_form_encoded(name);
            let key = key.ok_or_else(|| ListError::Failed(no_key(name)))?;
            Ok(key.as_str().to_owned())
        });
        Ok(FolderPage {
            objects: objects(answer.contents())?,
            folders: folders.collect::<Result<_, _>>()?,
            next: next_page(&answer)?,
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
        match self.is_in_ledger(store).await {
            Ok(false) => Err(WrongPrefix {
                prefix: prefix.clone(),
                other,
            }),
            _ => Ok(()),
        }
    }

    /// Refuses a bucket that can't be listed, and a database that knows no object of the journal: then nothing that it
    /// says, or does not say, is about this journal.
    pub async fn expect_ledger(&self, store: &Store) -> Result<(), Failure> {
        self.any_key(&self.place.prefix).await?;
        if self.is_in_ledger(store).await? {
            return Ok(());
        }
        Err(format!(
            "nothing was looked at: the ledger knows no object of {}",
            self.place
        )
        .into())
    }

    async fn is_in_ledger(&self, store: &Store) -> Result<bool, payment_store::Error> {
        let prefix = &self.place.prefix;
        let span = KeySpan {
            after: prefix.clone(),
            before: Some(format!("{prefix}\u{10FFFF}")),
        };
        Ok(!store.ledger_page(&span, None).await?.is_empty())
    }

    /// A key with this prefix, if there is one.
    async fn any_key(&self, prefix: &str) -> Result<Option<String>, ListError> {
        let request = self.client.list_objects_v2().bucket(&self.place.bucket);
        let request = request.prefix(prefix).encoding_type(LISTED_KEYS);
        let answer = request.max_keys(1).send().await;
        let answer = answer.map_err(|error| list_error(&error))?;
        has_more(&answer).map_err(ListError::Failed)?;
        let first = answer.contents().first().and_then(listed);
        Ok(first.map(|object| object.key.to_string()))
    }
}

/// The objects of a page. A console marks a folder by an object without content, which is none.
fn objects(contents: &[S3Object]) -> Result<Vec<Listed>, ListError> {
    let mut objects = Vec::with_capacity(contents.len());
    for object in contents {
        let name = || object.key().unwrap_or_default().to_owned();
        let bytes = object.size().and_then(|size| size.try_into().ok());
        let whole = listed(object).zip(bytes);
        let (version, bytes) = whole.ok_or_else(|| ListError::Failed(no_object(&name())))?;
        if bytes == 0 && version.key.is_folder() {
            continue;
        }
        objects.push(Listed { version, bytes });
    }
    Ok(objects)
}

/// Where the listing goes on. One that breaks off is not at its end.
fn next_page(answer: &ListObjectsV2Output) -> Result<Option<String>, ListError> {
    let has_more = has_more(answer).map_err(ListError::Failed)?;
    match answer.next_continuation_token() {
        None if has_more => Err(ListError::Failed(
            "the answer is truncated and names no next page".to_owned(),
        )),
        token => Ok(token.map(str::to_owned)),
    }
}

fn no_object(name: &str) -> String {
    format!("the answer lists {name:?} without a right key, ETag, time or size")
}

fn no_key(name: &str) -> String {
    format!("the answer lists {name:?}, which is no key")
}

fn list_error<E>(error: &SdkError<E>) -> ListError
where
    E: std::error::Error + ProvideErrorMetadata + 'static,
{
    let text = failure::text(error);
    if failure::is_denied(error) {
        ListError::Denied(text)
    } else {
        ListError::Failed(text)
    }
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
        let mut page = objects(answer.contents())?;
        page.retain(|listed| span.contains(listed.version.key.as_str()));
        self.page = page.into();
        let next = next_page(&answer)?;
        if !last.is_some_and(|last| is_past(last.key.as_str()))
            && let Some(token) = next
        {
            self.next = Next::Page(token);
        }
        Ok(())
    }
}
