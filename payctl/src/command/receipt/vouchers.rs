//! Who vouches for an object: the headers of the objects that its node wrote next.

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_ingest::objects::ObjectError;
use payment_core::chain::{Header, ObjectHash, RunId};
use payment_core::object::read_header;
use payment_core::{ObjectKey, Timestamp};
use payment_store::audit::KeySpan;
use time::Duration;
use uuid::Uuid;

use super::JOBS;
use crate::journal::Journal;
use crate::outcome::Failure;
use crate::range::{Segment, moved};

/// Keys are made within so long of each other in another order than objects are sealed.
const OUT_OF_ORDER: Duration = Duration::seconds(5);

/// The header that names an object is one of the next of its node, after an outage of S3 an hour later. A process that
/// was killed names nothing more.
const NAMED_WITHIN: Duration = Duration::DAY;
const LISTED_MAX: u32 = 100_000;

/// All objects within so long are asked: a PUT ends within 6 s, and a seal follows 10 s after it. Whoever forges one that
/// vouches may forge many, so that the genuine one that does not is the last.
const ASKED_WITHIN: Duration = Duration::seconds(30);
const ASKED_MAX: usize = 16_384;

/// Objects behind that time are asked up to so many in all.
const ASKED: usize = 256;

/// What the headers of the object's run say of it.
pub enum Vouched {
    /// By these. By none: it is young, or its run was killed, or there is no chain.
    By(Vec<ObjectKey>),
    /// This one names something else in its place.
    Against(ObjectKey),
    /// Not all could be asked.
    TooMany,
}

/// An object of the node.
struct Next {
    key: ObjectKey,
    header: Header,
    sha256: ObjectHash,
}

/// If one names the object and one another in its place, either is forged. `named_by` is asked as well.
pub async fn vouched(
    log: &Journal,
    key: &ObjectKey,
    header: Option<&Header>,
    sha256: ObjectHash,
    named_by: Option<&str>,
) -> Result<Vouched, Failure> {
    let (Some(at), Some(header)) = (key.batch_time(), header) else {
        return Ok(Vouched::By(Vec::new()));
    };
    let Some(mut keys) = next_of_node(log, key, at).await? else {
        return Ok(Vouched::TooMany);
    };
    let named_by = named_by.and_then(ObjectKey::parse);
    let named_by = named_by.filter(|named_by| {
        named_by.batch_under(&log.place.prefix).is_some() && !keys.contains(named_by)
    });
    keys.extend(named_by);
    let read = stream::iter(keys).map(async |key| {
        let object = log.find(&key).await?;
        let next = object.and_then(|object| {
            Some(Next {
                header: read_header(&key, &object.body)?,
                sha256: ObjectHash::of(&object.body),
                key,
            })
        });
        Ok::<_, ObjectError>(next)
    });
    let next: Vec<_> = read.buffered(JOBS).try_collect().await?;
    let mut next: Vec<_> = next.into_iter().flatten().collect();
    let position = header.position();
    let mut all = next.iter();
    if let Some(by) = all.find(|next| next.header.disputes(key, position, sha256)) {
        return Ok(Vouched::Against(by.key.clone()));
    }
    // Headers name lower numbers alone.
    next.sort_by_key(|next| next.header.seq);
    let names = |next: &&Next| next.header.confirms(key, position, sha256);
    let by = standing(&next).into_iter().filter(names);
    Ok(Vouched::By(by.map(|next| next.key.clone()).collect()))
}

/// Those that none contradicts, and that one of these names if any does. They come by their numbers; the last is first to
/// be decided.
fn standing(next: &[Next]) -> Vec<&Next> {
    let words = Words::of(next);
    let mut stands = vec![false; next.len()];
    for (index, one) in next.iter().enumerate().rev() {
        let position = one.header.position();
        let mut said = words.of_object(one);
        let is_disputed = said
            .clone()
            .any(|by| next[by].header.disputes(&one.key, position, one.sha256));
        let mut vouchers = said
            .by_ref()
            .filter(|by| next[*by].header.confirms(&one.key, position, one.sha256))
            .peekable();
        let is_named = vouchers.peek().is_some();
        stands[index] = !is_disputed && (!is_named || vouchers.any(|by| stands[by]));
    }
    let standing = next.iter().zip(stands).filter(|(_, stands)| *stands);
    standing.map(|(next, _)| next).collect()
}

/// Which headers speak of an object, or of a number of a run.
#[derive(Default)]
struct Words {
    of_objects: HashMap<Uuid, Vec<usize>>,
    of_numbers: HashMap<(RunId, u64), Vec<usize>>,
}

impl Words {
    fn of(next: &[Next]) -> Self {
        let mut words = Self::default();
        for (by, Next { header, .. }) in next.iter().enumerate() {
            for link in header.confirmed.iter().chain(&header.unconfirmed) {
                words.of_objects.entry(link.key).or_default().push(by);
                let number = (header.run, link.seq);
                words.of_numbers.entry(number).or_default().push(by);
            }
        }
        words
    }

    fn of_object(&self, one: &Next) -> impl Iterator<Item = usize> + Clone {
        let unique = one.key.own_batch().map(|(unique, _)| unique);
        let object = unique.and_then(|unique| self.of_objects.get(&unique));
        let number = self.of_numbers.get(&(one.header.run, one.header.seq));
        object.into_iter().chain(number).flatten().copied()
    }
}

/// `None` if there are too many.
async fn next_of_node(
    log: &Journal,
    key: &ObjectKey,
    at: Timestamp,
) -> Result<Option<Vec<ObjectKey>>, Failure> {
    let node = key.own_batch().map(|(_, node)| node);
    let prefix = &log.place.prefix;
    let listing = log.list(Segment {
        list: Some(prefix.clone()),
        span: KeySpan {
            after: ObjectKey::batches_from(prefix, moved(at, -OUT_OF_ORDER)),
            before: Some(ObjectKey::batches_from(prefix, moved(at, NAMED_WITHIN))),
        },
    });
    let mut next = Vec::new();
    let Some(mut listing) = listing else {
        return Ok(Some(next));
    };
    let soon = Some(moved(at, ASKED_WITHIN));
    let mut is_soon = true;
    for _ in 0..LISTED_MAX {
        let Some(listed) = listing.next().await? else {
            return Ok(Some(next));
        };
        let other = listed.version.key;
        is_soon = other.batch_time() <= soon;
        if !is_soon && next.len() >= ASKED {
            return Ok(Some(next));
        }
        let of = other.batch_under(prefix).map(|(_, node)| node);
        if other != *key && of.is_some() && of == node {
            next.push(other);
        }
        if is_soon && next.len() > ASKED_MAX {
            return Ok(None);
        }
    }
    Ok((!is_soon).then_some(next))
}
