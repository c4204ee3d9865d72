//! The checkpoint of a receipt: what `payctl verify` signed of the object's hour. It holds as long as every object of the
//! hour is what it was.

use std::path::Path;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use payment_core::chain::ObjectHash;
use payment_core::{ObjectVersion, Timestamp};
use time::Duration;

use super::JOBS;
use crate::journal::Journal;
use crate::outcome::Failure;
use crate::places;
use crate::proof::chain::Inside;
use crate::proof::checkpoint::{Checkpoint, Checkpoints};
use crate::proof::hours::{Hour, Hours, hour_of_object};
use crate::proof::key::PublicKey;
use crate::range::{Range, moved};

/// The line of the file that holds the object's hour; `None` if none does yet.
pub fn line(file: &Path, log: &Journal, object: &ObjectVersion) -> Result<Option<String>, Failure> {
    let checkpoints = Checkpoints::read(file, &log.place, None)
        .map_err(|error| Failure::config(format!("{}: {error}", file.display())))?;
    Ok(checkpoints.line_of(hour(log, object)).map(str::to_owned))
}

/// Holds the object's hour against the line; what it proves, or why it does not.
pub async fn held(
    log: &Journal,
    line: &str,
    key: Option<PublicKey>,
    object: &ObjectVersion,
) -> Result<Result<String, String>, Failure> {
    let (checkpoint, key) = match Checkpoint::read(line, key) {
        Ok(read) => read,
        Err(why) => return Ok(Err(format!("its checkpoint: {why}"))),
    };
    let number = checkpoint.number;
    if !checkpoint.is_of(&log.place) {
        return Ok(Err(format!("checkpoint {number} is of another journal")));
    }
    let begin = hour(log, object);
    let Some(then) = checkpoint.hour(begin) else {
        return Ok(Err(format!("checkpoint {number} does not hold its hour")));
    };
    let now = now(log, begin).await?;
    let is_same =
        |now: &Hour| (now.objects, &now.objects_sha256) == (then.objects, &then.objects_sha256);
    Ok(if now.as_ref().is_some_and(is_same) {
        Ok(format!(
            "checkpoint {number}, signed by {key}, vouches for it"
        ))
    } else {
        Err(format!(
            "checkpoint {number} no longer holds: its hour had {} objects, which are not the {} of now; \
             payctl verify --against says more",
            then.objects,
            now.map_or(0, |now| now.objects)
        ))
    })
}

/// The hour that the object is of.
fn hour(log: &Journal, object: &ObjectVersion) -> Timestamp {
    hour_of_object(&log.place.prefix, object.key.as_str(), object.stored_at)
}

/// The objects of the hour as they are now; their rows are not asked.
async fn now(log: &Journal, begin: Timestamp) -> Result<Option<Hour>, Failure> {
    let range = Range {
        from: Some(begin),
        to: Some(moved(begin, Duration::HOUR)),
    };
    let mut listed = Vec::new();
    places::each(log, &range, async |object| {
        listed.push(object);
        Ok::<_, Failure>(())
    })
    .await?;
    listed.sort_by(|a, b| a.version.key.cmp(&b.version.key));
    let read = stream::iter(listed).map(async |listed| log.find(&listed.version.key).await);
    let mut read = read.buffered(JOBS);
    let mut hours = Hours::default();
    while let Some(object) = read.try_next().await? {
        let Some(object) = object else { continue };
        let version = object.version;
        let inside = Inside::without_rows(version.stored_at);
        let sha256 = ObjectHash::of(&object.body);
        hours.add(&log.place.prefix, version.key.as_str(), sha256, inside);
    }
    Ok(hours.finish().pop())
}
