//! The function's read access to the bucket.

use bytes::Bytes;
use lambda_ingest::objects::{Body, ObjectError, Objects, Opened, Page};
use payment_core::event::ObjectRef;

use super::Bucket;
use crate::fault::Fault;
use crate::world::lock;

/// Keys per page of a listing: few, so that there are several pages.
const PAGE: usize = 5;

/// A body in two chunks.
#[derive(Debug)]
pub struct Pieces {
    pieces: Vec<Bytes>,
    is_cut: bool,
}

impl Body for Pieces {
    async fn next(&mut self) -> Result<Option<Bytes>, ObjectError> {
        match self.pieces.pop() {
            None if self.is_cut => Err(ObjectError::Failed("the body ended early".to_owned())),
            piece => Ok(piece),
        }
    }
}

impl Objects for Bucket {
    type Body = Pieces;

    async fn open(&self, object: &ObjectRef) -> Result<Opened<Pieces>, ObjectError> {
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
        let version = stored.version();
        let bytes = u64::try_from(stored.body.len()).ok();
        let mut first = stored.body;
        let second = first.split_off(first.len() / 2);
        let is_cut = world.fault(Fault::GetCut);
        let pieces = if is_cut {
            vec![first]
        } else {
            vec![second, first]
        };
        Ok(Opened {
            version,
            bytes,
            body: Pieces { pieces, is_cut },
        })
    }

    async fn list(&self, _: &str, prefix: &str, after: &str) -> Result<Page, ObjectError> {
        self.world.pass(2..=40).await;
        self.is_there().await?;
        if self.world.fault(Fault::ListFailed) {
            return Err(ObjectError::Failed("503 SlowDown".to_owned()));
        }
        let state = lock(&self.state);
        let place = |key: &str| {
            let mut places = state.places.iter();
            places.find_map(|(stored, place)| (stored.as_str() == key).then_some(*place))
        };
        let from = (sorted(after), place(after));
        let mut listed: Vec<_> = state
            .objects
            .iter()
            .enumerate()
            .filter(|(_, object)| object.key.as_str().starts_with(prefix))
            .map(|(place, object)| ((sorted(object.key.as_str()), Some(place)), object))
            .filter(|(order, _)| *order > from)
            .collect();
        listed.sort_by_key(|(order, _)| *order);
        let has_more = listed.len() > PAGE;
        listed.truncate(PAGE);
        Ok(Page {
            objects: listed.iter().map(|(_, object)| object.version()).collect(),
            has_more,
        })
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

/// Returns a key without its random part, which no seed decides: for a batch, everything after the time.
fn sorted(key: &str) -> &str {
    const TIME: usize = "hh=07/01a20516-cf67-".len();
    let hour = key.find("hh=").filter(|_| key.ends_with(".ndjson"));
    let end = hour.map_or(key.len(), |hour| hour + TIME);
    match key.get(..end) {
        Some(time) if time.ends_with('-') => time,
        _ => key,
    }
}
