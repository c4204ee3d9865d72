//! How the function reads the bucket.

use lambda_ingest::objects::{Object, ObjectError, Objects};
use payment_core::ObjectVersion;
use payment_core::event::ObjectRef;

use super::{Bucket, Stored};
use crate::fault::Fault;
use crate::world::lock;

/// Keys of one page of a listing: few, so that there are several pages.
const PAGE: usize = 5;

impl Objects for Bucket {
    async fn get(&self, object: &ObjectRef) -> Result<Object, ObjectError> {
        let world = &self.world;
        world.pass(2..=40).await;
        self.is_there().await?;
        if world.fault(Fault::GetFailed) {
            return Err(ObjectError::Failed("503 SlowDown".to_owned()));
        }
        if world.fault(Fault::GetSlow) {
            world.pass(1_000..=9_000).await;
        }
        let Some(stored) = self.find(&object.key) else {
            return Err(ObjectError::Gone);
        };
        if world.fault(Fault::GetCut) {
            return Err(ObjectError::Failed("the body ended early".to_owned()));
        }
        Ok(Object {
            version: stored.version(),
            body: stored.body,
        })
    }

    async fn list(
        &self,
        _: &str,
        prefix: &str,
        page: Option<String>,
    ) -> Result<(Vec<ObjectVersion>, Option<String>), ObjectError> {
        self.world.pass(2..=40).await;
        self.is_there().await?;
        if self.world.fault(Fault::ListFailed) {
            return Err(ObjectError::Failed("503 SlowDown".to_owned()));
        }
        let from = page.and_then(|page| page.parse().ok()).unwrap_or(0);
        let state = lock(&self.state);
        let mut listed = state
            .objects
            .iter()
            .filter(|object| is_right_under(prefix, object.key.as_str()))
            .skip(from)
            .map(Stored::version);
        let page: Vec<_> = listed.by_ref().take(PAGE).collect();
        let next = listed.next().map(|_| (from + PAGE).to_string());
        Ok((page, next))
    }
}

impl Bucket {
    async fn is_there(&self) -> Result<(), ObjectError> {
        match self.world.weather().s3 {
            None => Ok(()),
            Some(Fault::S3Silent) => {
                self.world.pass(9_000..=10_000).await;
                Err(ObjectError::Unreachable("no answer".to_owned()))
            }
            Some(_) => Err(ObjectError::Failed("503 ServiceUnavailable".to_owned())),
        }
    }
}

/// As a listing with the delimiter `/` has it.
fn is_right_under(prefix: &str, key: &str) -> bool {
    key.strip_prefix(prefix)
        .is_some_and(|rest| !rest.contains('/'))
}
