//! Objects that cannot be ingested, ahead of payments whose events are lost: the sweep has to get past them.

use aws_sdk_s3::types::ServerSideEncryption;
use lab_runner::lab::{BUCKET, Lab};
use time::OffsetDateTime;
use uuid::Uuid;

/// More lines than the function takes from one object.
const LINES: usize = 100_001;

/// More characters than the tables hold in a key.
const LONG_KEY: usize = 900;

/// Length of the part of a version 7 UUID that holds its time.
const UUID_TIME: usize = "01a20516-cf67-".len();

/// Puts one object with too many lines and one with a key that is too long; returns whether S3 took them.
pub async fn put(lab: &Lab) -> bool {
    let now = OffsetDateTime::now_utc();
    let hour = format!("transactions/dt={}/hh={:02}", now.date(), now.hour());
    // Sorts among the batches of this moment, but is not one of them: nobody accepted its content.
    let moment = Uuid::now_v7().to_string();
    let key = format!("{hour}/{}poison-{}", &moment[..UUID_TIME], Uuid::new_v4());
    let objects = [
        (format!("{key}.ndjson"), "{}\n".repeat(LINES)),
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
