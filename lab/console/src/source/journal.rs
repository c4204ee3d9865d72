//! An object of the journal in S3, and the payments inside it.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::DateTime;
use lab_runner::lab::BUCKET;
use payment_core::record::{Line, read_object};
use payment_core::{ObjectKey, Timestamp};

use super::{Away, TIMEOUT, within};

/// Prefix of all journal keys.
pub const ROOT: &str = "transactions/";

/// Most records shown of one object.
const RECORDS_MAX: usize = 200;

/// Most bytes read of one object.
const BYTES_MAX: i64 = 16 << 20;

#[derive(Debug)]
pub struct Content {
    pub bytes: usize,
    pub stored_at: Timestamp,
    pub encryption: String,
    pub lines: Vec<Line>,
    pub count: usize,
}

/// Reads an object with its payments; `None` if there is no such object.
pub async fn object(key: &ObjectKey, s3: &Client) -> Result<Option<Content>, Away> {
    let request = s3.get_object().bucket(BUCKET).key(key.as_str());
    let question = async {
        match request.send().await {
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                Ok(None)
            }
            answer => answer.map(Some),
        }
    };
    let Some(answer) = within(TIMEOUT, question).await? else {
        return Ok(None);
    };
    if answer.content_length().unwrap_or_default() > BYTES_MAX {
        return Err(Away("the object is too large to be shown".to_owned()));
    }
    let stored_at = answer.last_modified().map_or(Timestamp::EPOCH, moment);
    let encryption = answer.server_side_encryption().map_or_else(
        || "none".to_owned(),
        |encryption| encryption.as_str().to_owned(),
    );
    let body = within(TIMEOUT, answer.body.collect()).await?.into_bytes();
    let mut lines: Vec<Line> = read_object(key, &body, stored_at).collect();
    let count = lines.len();
    lines.truncate(RECORDS_MAX);
    Ok(Some(Content {
        bytes: body.len(),
        stored_at,
        encryption,
        lines,
        count,
    }))
}

pub(super) fn moment(moment: &DateTime) -> Timestamp {
    let millis = moment.to_millis().ok();
    millis
        .and_then(Timestamp::from_unix_millis)
        .unwrap_or(Timestamp::EPOCH)
}
