//! `ListObjectsV2` and `ListObjects`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{
    CommonPrefix, ETag, EncodingType, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectStorageClass,
};
use s3s::{S3Response, S3Result, s3_error};

use super::Ops;
use crate::store::{Cursor, Entry, Item, Query};

/// Most items on a page.
pub(super) const MAX_KEYS: i32 = 1000;

impl Ops {
    pub(super) fn list_v2(
        &self,
        input: ListObjectsV2Input,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let bucket = self.store.bucket(&input.bucket)?;
        let encoding = Encoding::of(input.encoding_type);
        let query = Query {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: start(
                input.continuation_token.as_deref(),
                input.start_after.as_deref(),
            )?,
            limit: limit(input.max_keys)?,
        };
        let page = bucket.list(&query);
        let (contents, common_prefixes) = encoding.items(page.items);
        let count = contents.len() + common_prefixes.len();
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(encoding.apply(query.prefix)),
            delimiter: encoding.apply_to(input.delimiter),
            start_after: encoding.apply_to(input.start_after),
            max_keys: Some(input.max_keys.unwrap_or(MAX_KEYS)),
            key_count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            continuation_token: input.continuation_token,
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.as_ref().map(Cursor::to_token),
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            encoding_type: encoding.0,
            ..ListObjectsV2Output::default()
        }))
    }

    pub(super) fn list_v1(
        &self,
        input: ListObjectsInput,
    ) -> S3Result<S3Response<ListObjectsOutput>> {
        let bucket = self.store.bucket(&input.bucket)?;
        let encoding = Encoding::of(input.encoding_type);
        let query = Query {
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            after: Cursor::Start,
            limit: limit(input.max_keys)?,
        };
        let query = match input.marker.as_deref() {
            Some(marker) if !marker.is_empty() => query.behind(marker),
            _ => query,
        };
        let page = bucket.list(&query);
        // Without a delimiter the last key is the next marker, and S3 does not repeat it.
        let next_marker = page.next.as_ref().filter(|_| query.delimiter.is_some());
        let next_marker = next_marker.map(|next| encoding.apply(next.text()));
        let (contents, common_prefixes) = encoding.items(page.items);
        Ok(S3Response::new(ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(encoding.apply(query.prefix)),
            delimiter: encoding.apply_to(input.delimiter),
            marker: Some(encoding.apply(input.marker.as_deref().unwrap_or_default())),
            max_keys: Some(input.max_keys.unwrap_or(MAX_KEYS)),
            is_truncated: Some(page.next.is_some()),
            next_marker,
            contents: Some(contents),
            common_prefixes: Some(common_prefixes),
            encoding_type: encoding.0,
            ..ListObjectsOutput::default()
        }))
    }
}

fn start(token: Option<&str>, start_after: Option<&str>) -> S3Result<Cursor> {
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "The continuation token provided is incorrect"
        )
    };
    match (token, start_after) {
        (Some(token), _) => Cursor::from_token(token).ok_or_else(invalid),
        (None, Some(key)) if !key.is_empty() => Ok(Cursor::Key(key.to_owned())),
        (None, _) => Ok(Cursor::Start),
    }
}

pub(super) fn limit(max_keys: Option<i32>) -> S3Result<usize> {
    let limit = max_keys.unwrap_or(MAX_KEYS).min(MAX_KEYS);
    usize::try_from(limit).map_err(|_| s3_error!(InvalidArgument, "max-keys must not be negative"))
}

/// How keys are written in the answer: verbatim or, because XML cannot hold every character, encoded.
pub(super) struct Encoding(pub Option<EncodingType>);

impl Encoding {
    pub fn of(asked: Option<EncodingType>) -> Self {
        Self(asked.filter(|encoding| encoding.as_str() == EncodingType::URL))
    }

    pub fn apply(&self, text: &str) -> String {
        const KEPT: &AsciiSet = &NON_ALPHANUMERIC
            .remove(b'/')
            .remove(b'-')
            .remove(b'_')
            .remove(b'.')
            .remove(b'*');
        match self.0 {
            Some(_) => utf8_percent_encode(text, KEPT).to_string(),
            None => text.to_owned(),
        }
    }

    pub fn apply_to(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.apply(&text))
    }

    fn items(&self, items: Vec<Item>) -> (Vec<Object>, Vec<CommonPrefix>) {
        let (mut objects, mut groups) = (Vec::new(), Vec::new());
        for item in items {
            match item {
                Item::Object(key, entry) => objects.push(object(self.apply(&key), entry)),
                Item::Group(group) => groups.push(CommonPrefix {
                    prefix: Some(self.apply(&group)),
                }),
            }
        }
        (objects, groups)
    }
}

fn object(key: String, entry: Entry) -> Object {
    Object {
        key: Some(key),
        e_tag: Some(ETag::Strong(entry.etag)),
        size: i64::try_from(entry.size).ok(),
        last_modified: Some(entry.modified.last_modified()),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        ..Object::default()
    }
}
