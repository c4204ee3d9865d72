//! The log in S3: listed in the order of its keys, and read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::types::Object as S3Object;
use lambda_ingest::objects::{self, Object, ObjectError, Objects as _, S3Objects};
use payment_core::event::ObjectRef;
use payment_core::{ObjectKey, ObjectVersion};
use tier_kit::s3::{self, Bounds, NoRegion};

use crate::config::Place;
use crate::range::{Kind, Segment};

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

/// The objects of one segment, a page at a time.
#[derive(Debug)]
pub struct Listing<'a> {
    log: &'a Log,
    segment: Segment,
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

    pub fn list(&self, segment: Segment) -> Listing<'_> {
        Listing {
            log: self,
            segment,
            page: VecDeque::new(),
            next: Next::First,
        }
    }
}

/// For objects that an event names, whatever their bucket.
pub async fn any_bucket() -> Result<Arc<S3Objects>, NoRegion> {
    Ok(Arc::new(S3Objects::new(s3::client(S3_CALL).await?)))
}

impl Listing<'_> {
    pub async fn next(&mut self) -> Result<Option<Listed>, ListError> {
        loop {
            if let Some(listed) = self.page.pop_front() {
                return Ok(Some(listed));
            }
            let (start, token) = match std::mem::replace(&mut self.next, Next::End) {
                Next::First => (Some(self.segment.span.after.clone()), None),
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
        let is_flat = matches!(self.segment.kind, Kind::Singles(_));
        let request = self
            .log
            .client
            .list_objects_v2()
            .bucket(&self.log.place.bucket)
            .prefix(&self.segment.list)
            .set_delimiter(is_flat.then(|| "/".to_owned()))
            .set_start_after(start_after)
            .set_continuation_token(token);
        let answer = request
            .send()
            .await
            .map_err(|error| ListError(DisplayErrorContext(&error).to_string()))?;
        let span = &self.segment.span;
        let is_past = |key: &str| span.before.as_deref().is_some_and(|before| key >= before);
        let last = answer.contents().last().and_then(S3Object::key);
        let listed = answer.contents().iter().filter_map(|object| {
            let key = ObjectKey::parse(object.key()?)?;
            (!key.is_folder() && span.contains(key.as_str())).then_some((key, object))
        });
        self.page = listed
            .map(|(key, object)| Listed {
                version: objects::version(key, object.e_tag(), object.last_modified()),
                bytes: object
                    .size()
                    .and_then(|size| size.try_into().ok())
                    .unwrap_or(0),
            })
            .collect();
        if !last.is_some_and(is_past)
            && let Some(token) = answer.next_continuation_token()
        {
            self.next = Next::Page(token.to_owned());
        }
        Ok(())
    }
}
