//! The log in S3: folders by day and hour, objects, and the payments inside one.

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::Object;
use lab_runner::lab::BUCKET;
use payment_core::record::{Line, read_object};
use payment_core::{ObjectKey, Timestamp};

use super::Away;
use crate::server::Console;

/// What every key of the log starts with.
pub const ROOT: &str = "transactions/";

/// Pages of a thousand keys that are looked through for the newest objects of a folder.
const PAGES_MAX: usize = 20;

/// Objects shown.
const OBJECTS_MAX: usize = 100;

/// Records shown of one object.
const RECORDS_MAX: usize = 200;

/// Of one object.
const BYTES_MAX: i64 = 16 << 20;

#[derive(Debug, Default)]
pub struct Folder {
    pub folders: Vec<String>,
    /// Newest first.
    pub objects: Vec<Listed>,
    /// Objects there, of which only some may be shown.
    pub count: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

#[derive(Debug)]
pub struct Listed {
    pub key: String,
    pub bytes: u64,
    pub stored_at: Timestamp,
}

#[derive(Debug)]
pub struct Content {
    pub bytes: usize,
    pub stored_at: Timestamp,
    pub encryption: String,
    pub lines: Vec<Line>,
    pub count: usize,
}

/// What lies directly under a prefix.
pub async fn folder(prefix: &str, console: &Console) -> Result<Folder, Away> {
    let mut found = Folder::default();
    let request = console.s3.list_objects_v2().bucket(BUCKET).prefix(prefix);
    let mut pages = request.delimiter("/").into_paginator().send();
    for page in 0.. {
        if page == PAGES_MAX {
            found.more = true;
            break;
        }
        let Some(answer) = pages.next().await else {
            break;
        };
        let answer = answer.map_err(|error| Away(DisplayErrorContext(&error).to_string()))?;
        let folders = answer.common_prefixes().iter();
        found
            .folders
            .extend(folders.filter_map(|folder| folder.prefix().map(str::to_owned)));
        found.count += answer.contents().len();
        found
            .objects
            .extend(answer.contents().iter().filter_map(listed));
        let excess = found.objects.len().saturating_sub(OBJECTS_MAX);
        found.objects.drain(..excess);
    }
    found.objects.reverse();
    found.folders.reverse();
    Ok(found)
}

/// An object with its payments; `None` where there is no such object.
pub async fn object(key: &ObjectKey, console: &Console) -> Result<Option<Content>, Away> {
    let request = console.s3.get_object().bucket(BUCKET).key(key.as_str());
    let answer = match request.send().await {
        Ok(answer) => answer,
        Err(error)
            if error
                .as_service_error()
                .is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(Away(DisplayErrorContext(&error).to_string())),
    };
    if answer.content_length().unwrap_or_default() > BYTES_MAX {
        return Err(Away("the object is too large to be shown".to_owned()));
    }
    let stored_at = answer.last_modified().map_or(Timestamp::EPOCH, moment);
    let encryption = answer.server_side_encryption().map_or_else(
        || "none".to_owned(),
        |encryption| encryption.as_str().to_owned(),
    );
    let body = answer.body.collect().await;
    let body = body.map_err(|error| Away(error.to_string()))?.into_bytes();
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

fn listed(object: &Object) -> Option<Listed> {
    Some(Listed {
        key: object.key()?.to_owned(),
        bytes: object.size().and_then(|size| size.try_into().ok())?,
        stored_at: object.last_modified().map_or(Timestamp::EPOCH, moment),
    })
}

fn moment(moment: &DateTime) -> Timestamp {
    let millis = moment.to_millis().ok();
    millis
        .and_then(Timestamp::from_unix_millis)
        .unwrap_or(Timestamp::EPOCH)
}
