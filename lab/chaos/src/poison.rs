//! Objects that can't be ingested, ahead of payments whose events are lost: the sweep has to get past them.

use aws_sdk_s3::types::ServerSideEncryption;
use payment_core::{ObjectKey, Timestamp, object::OBJECT_LINES_MAX};
use time::OffsetDateTime;
use uuid::Uuid;

use lab_runner::lab::{BUCKET, Lab};

/// What the keys of the journal begin with.
const PREFIX: &str = "transactions/";

/// More than the function records of a key.
const LONG_KEY: usize = 900;

/// Puts one object with too many lines and one with a key that is too long; whether S3 took them.
pub async fn put(lab: &Lab) -> bool {
    let now = Timestamp::new(OffsetDateTime::now_utc());
    // Sorted among the batches of this moment, and not of their form: nobody accepted what is in it.
    let key = format!(
        "{}poison-{}",
        ObjectKey::batches_from(PREFIX, now),
        Uuid::new_v4()
    );
    let lines = usize::try_from(OBJECT_LINES_MAX).map_or(usize::MAX, |max| max + 1);
    let objects = [
        (format!("{key}.ndjson"), "{}\n".repeat(lines)),
        (format!("{key:x<LONG_KEY$}.ndjson"), "{}\n".to_owned()),
    ];
    let s3 = lab.s3(&lab.credentials.aws.operator);
    for (key, body) in objects {
        let put = s3
            .put_object()
            .bucket(BUCKET)
            .key(key)
            .body(body.into_bytes().into())
            .server_side_encryption(ServerSideEncryption::Aes256);
        if put.send().await.is_err() {
            return false;
        }
    }
    true
}
