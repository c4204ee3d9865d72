//! Where the objects of a range may be: nearly all are in the folders of its hours, and any key may be one's.
//!
//! The folders of other hours are passed over unlisted, so a search costs a request for each day of the journal, and
//! not one for each thousand of its objects.

use crate::journal::{Journal, ListError, Listed};
use crate::range::{Membership, Range, days, hour_of, is_day};

/// Gives each object of the range, in no order.
pub async fn each<E: From<ListError>>(
    log: &Journal,
    range: &Range,
    mut found: impl AsyncFnMut(Listed) -> Result<(), E>,
) -> Result<(), E> {
    let prefix = &log.place.prefix;
    let is_meant = |listed: &Listed| {
        let version = &listed.version;
        range.holds(prefix, version.key.as_str(), version.stored_at)
    };
    let mut segments = Range::beside_days(prefix);
    let mut folders = vec![days(prefix)];
    while let Some(folder) = folders.pop() {
        let mut next = None;
        loop {
            let page = log.folder(&folder, next).await?;
            for listed in page.objects.into_iter().filter(is_meant) {
                found(listed).await?;
            }
            for inner in page.folders {
                if is_day(prefix, &inner) {
                    folders.push(inner);
                } else if hour_of(prefix, &inner).is_none()
                    || range.membership(prefix, &inner) == Membership::Inside
                {
                    segments.push(Range::whole(&inner));
                }
            }
            next = page.next;
            if next.is_none() {
                break;
            }
        }
    }
    for segment in segments {
        let Some(mut listing) = log.list(segment) else {
            continue;
        };
        while let Some(listed) = listing.next().await? {
            if is_meant(&listed) {
                found(listed).await?;
            }
        }
    }
    Ok(())
}
