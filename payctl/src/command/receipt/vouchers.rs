//! Who vouches for an object: the headers of the objects that its node wrote next.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use lambda_ingest::objects::{Object, ObjectError};
use payment_core::chain::checker::{Checker, Fault, Sighting, Span, Summary, What, Window};
use payment_core::object::read_header;
use payment_core::{ObjectKey, Timestamp};
use payment_store::audit::KeySpan;
use time::Duration;

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

/// What their headers name in all, in some 100 bytes each. A tier's name a few, and after an outage a thousand.
const NAMES_MAX: usize = 1_000_000;

/// What the objects that were asked say of it.
#[derive(Default)]
pub struct Vouched {
    /// Whose headers vouch for it. None: it is young, or its run was killed, or there is no chain.
    pub by: Vec<ObjectKey>,
    /// What is wrong with it or, if nothing is, with one of the others: then it is not known whom to believe.
    pub fault: Option<(ObjectKey, What)>,
}

/// Holds the object and those that its node wrote next against each other, as `verify` does. `named_by` is one of them, if
/// it came within the day. `None` if there are too many.
pub async fn vouched(
    log: &Journal,
    object: &Object,
    named_by: Option<&str>,
) -> Result<Option<Vouched>, Failure> {
    let key = &object.version.key;
    let prefix = &log.place.prefix;
    let (Some(at), Some(_)) = (key.batch_time(), read_header(key, &object.body)) else {
        return Ok(Some(Vouched::default()));
    };
    let named_by = named_by.and_then(ObjectKey::parse);
    let named_by = named_by.filter(|named_by| named_by.batch_under(prefix).is_some());
    let Some((keys, to)) = next_of_node(log, key, at, named_by.as_ref()).await? else {
        return Ok(None);
    };
    let from = Some(moved(at, -OUT_OF_ORDER));
    let window = Window { from, to };
    let span = Span {
        read: window,
        judged: window,
    };
    let mut checker = Checker::new(prefix, span, None);
    checker.ask_for(key);
    let read = stream::iter(keys).map(async |other| {
        if other == *key {
            return Ok(Some(Sighting::of(key, &object.body)));
        }
        let found = log.find(&other).await?;
        Ok::<_, ObjectError>(found.map(|found| Sighting::of(&other, &found.body)))
    });
    let mut read = std::pin::pin!(read.buffered(JOBS));
    let mut names = 0;
    while let Some(sighting) = read.try_next().await? {
        let Some(sighting) = sighting else { continue };
        let header = sighting.header();
        names += header.map_or(0, |header| {
            header.confirmed.len() + header.unconfirmed.len()
        });
        if names > NAMES_MAX {
            return Ok(None);
        }
        checker.see(sighting);
    }
    let Summary {
        mut faults,
        vouchers,
        ..
    } = checker.finish();
    let is_known =
        |fault: &Fault| !fault.what.is_unknown() && !matches!(fault.what, What::Unseen { .. });
    faults.retain(is_known);
    let own = faults.iter().position(|fault| fault.object == *key);
    let fault = faults.into_iter().nth(own.unwrap_or(0));
    Ok(Some(Vouched {
        by: vouchers,
        fault: fault.map(|fault| (fault.object, fault.what)),
    }))
}

/// With the first moment of which none is asked. `None` if there are too many.
async fn next_of_node(
    log: &Journal,
    key: &ObjectKey,
    at: Timestamp,
    named_by: Option<&ObjectKey>,
) -> Result<Option<(Vec<ObjectKey>, Option<Timestamp>)>, Failure> {
    let node = key.own_batch().map(|(_, node)| node);
    let prefix = &log.place.prefix;
    let day = Some(moved(at, NAMED_WITHIN));
    let listing = log.list(Segment {
        list: Some(prefix.clone()),
        span: KeySpan {
            after: ObjectKey::batches_from(prefix, moved(at, -OUT_OF_ORDER)),
            before: Some(ObjectKey::batches_from(prefix, moved(at, NAMED_WITHIN))),
        },
    });
    let mut next = Vec::new();
    let Some(mut listing) = listing else {
        return Ok(Some((next, day)));
    };
    let soon = Some(moved(at, ASKED_WITHIN));
    let (mut is_soon, mut last) = (true, None);
    for _ in 0..LISTED_MAX {
        let Some(listed) = listing.next().await? else {
            return Ok(Some((next, day)));
        };
        let other = listed.version.key;
        last = other.batch_time();
        is_soon = other.batch_time() <= soon;
        let is_asked = named_by.is_some_and(|named_by| other <= *named_by);
        if !is_soon && !is_asked && next.len() >= ASKED {
            return Ok(Some((next, other.batch_time())));
        }
        let of = other.batch_under(prefix).map(|(_, node)| node);
        if of.is_some() && of == node {
            next.push(other);
        }
        if next.len() > ASKED_MAX {
            return Ok(None);
        }
    }
    Ok((!is_soon).then_some((next, last)))
}
