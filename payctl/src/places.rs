//! Where the objects of a range may be: nearly all are in the folders of its hours, and any key may be one's.
//!
//! The folders of other hours are passed over unlisted, so a search costs a request for each day of the journal, and
//! not one for each thousand of its objects.

use crate::journal::{Journal, ListError, Listed};
use crate::range::{Membership, Range, Segment, days, hour_of, is_day};

/// What is to be listed, and objects that were met on the way.
#[derive(Default)]
pub struct Places {
    pub segments: Vec<Segment>,
    pub objects: Vec<Listed>,
}

pub async fn places(log: &Journal, range: &Range) -> Result<Places, ListError> {
    let prefix = &log.place.prefix;
    let mut places = Places {
        segments: Range::beside_days(prefix),
        ..Places::default()
    };
    let mut folders = vec![days(prefix)];
    while let Some(folder) = folders.pop() {
        let mut next = None;
        loop {
            let page = log.folder(&folder, next).await?;
            let is_meant = |listed: &Listed| {
                let version = &listed.version;
                range.holds(prefix, version.key.as_str(), version.stored_at)
            };
            places
                .objects
                .extend(page.objects.into_iter().filter(is_meant));
            for inner in page.folders {
                if is_day(prefix, &inner) {
                    folders.push(inner);
                } else if hour_of(prefix, &inner).is_none()
                    || range.membership(prefix, &inner) == Membership::Inside
                {
                    places.segments.push(Range::whole(&inner));
                }
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    Ok(places)
}

/// The objects of a range, in the order of their keys.
pub async fn objects(log: &Journal, range: &Range) -> Result<Vec<Listed>, ListError> {
    let Places {
        segments,
        mut objects,
    } = places(log, range).await?;
    for segment in segments {
        let Some(mut listing) = log.list(segment) else {
            continue;
        };
        while let Some(listed) = listing.next().await? {
            let version = &listed.version;
            if range.holds(&log.place.prefix, version.key.as_str(), version.stored_at) {
                objects.push(listed);
            }
        }
    }
    objects.sort_by(|a, b| a.version.key.cmp(&b.version.key));
    Ok(objects)
}
