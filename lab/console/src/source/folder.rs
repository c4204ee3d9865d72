//! The objects and folders directly under a prefix of the bucket, newest first.
//!
//! S3 lists in key order, and only forwards. In the folder of an hour keys sort by time, so its end is found by search
//! ([`hour`]). Any other folder is listed completely ([`walk`]).

mod hour;
mod walk;

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Object;
use lab_runner::lab::BUCKET;
use payment_core::Timestamp;
use time::OffsetDateTime;

use self::hour::Hour;
pub use self::walk::Walks;
use super::journal::moment;
use super::{Away, TIMEOUT, within};

/// Most objects shown.
const OBJECTS_MAX: usize = 100;

#[derive(Clone, Debug)]
pub struct Folder {
    /// Folders in reverse key order.
    pub folders: Vec<String>,
    /// Newest first, and no more than are shown.
    pub objects: Vec<Listed>,
    pub count: Count,
    /// When the listing began.
    pub at: OffsetDateTime,
}

/// Number of objects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Count {
    All(usize),
    /// The listing is in progress; newer objects may still be missing.
    SoFar(usize),
    /// Older ones were not listed.
    NewestAlone,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    pub key: String,
    pub bytes: u64,
    pub stored_at: Timestamp,
}

/// One page from S3, in key order.
#[derive(Debug, Default)]
struct Page {
    folders: Vec<String>,
    objects: Vec<Listed>,
    /// Continuation token, if there are more.
    next: Option<String>,
}

/// Lists a folder, or returns the latest listing of a large one.
pub async fn folder(prefix: &str, s3: &Client, walks: &Walks) -> Result<Arc<Folder>, Away> {
    if let Some(hour) = Hour::of(prefix) {
        let at = OffsetDateTime::now_utc();
        let newest = hour.newest(at, |after| page(s3, prefix, after, None));
        if let Some(folder) = newest.await? {
            return Ok(Arc::new(folder));
        }
    }
    walks.folder(prefix, s3).await
}

/// Requests the keys after `after`, or the next page.
async fn page(
    s3: &Client,
    prefix: &str,
    after: Option<String>,
    token: Option<String>,
) -> Result<Page, Away> {
    let request = s3.list_objects_v2().bucket(BUCKET).prefix(prefix);
    let request = request.delimiter("/").set_start_after(after);
    let answer = within(TIMEOUT, request.set_continuation_token(token).send()).await?;
    let folders = answer.common_prefixes().iter();
    Ok(Page {
        folders: folders
            .filter_map(|folder| folder.prefix().map(str::to_owned))
            .collect(),
        objects: answer.contents().iter().filter_map(listed).collect(),
        next: answer.next_continuation_token,
    })
}

fn listed(object: &Object) -> Option<Listed> {
    Some(Listed {
        key: object.key()?.to_owned(),
        bytes: object.size().and_then(|size| size.try_into().ok())?,
        stored_at: object.last_modified().map_or(Timestamp::EPOCH, moment),
    })
}

/// Sorts newest first, and drops what is not shown. At the same moment, the last key is the newest.
fn keep_newest(objects: &mut Vec<Listed>) {
    objects.sort_by(|a, b| (b.stored_at, &b.key).cmp(&(a.stored_at, &a.key)));
    objects.truncate(OBJECTS_MAX);
}
