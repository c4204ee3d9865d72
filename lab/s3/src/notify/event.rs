//! The event message in Amazon S3's format (S3 User Guide, "Event message structure", version 2.1).

use std::net::IpAddr;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::FormatItem;
use time::macros::format_description;

use super::rule::EventName;
use crate::store::Head;

/// An object that is being created.
#[derive(Debug)]
pub struct Created<'a> {
    pub name: EventName,
    pub bucket: &'a str,
    pub key: &'a str,
    pub head: &'a Head,
    /// Set in a bucket with versions.
    pub version_id: Option<String>,
    pub origin: &'a Origin,
}

/// The request behind an event.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `AWS:<role>`.
    pub principal: String,
    pub source_ip: IpAddr,
    /// As in the answer's `x-amz-request-id` and `x-amz-id-2`.
    pub request_id: String,
    pub host_id: String,
}

/// The region and account that the lab claims to be.
pub struct RegionAccount {
    pub region: String,
    pub account: String,
}

/// Form-encodes a key as in events, except for slashes: a space is `+`, `=` is `%3D`.
pub fn encode_key(key: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'*')
        .remove(b' ');
    utf8_percent_encode(key, KEPT).to_string().replace(' ', "+")
}

pub fn json(
    created: &Created<'_>,
    rule: &str,
    region_account: &RegionAccount,
) -> serde_json::Result<Bytes> {
    let Created {
        name,
        bucket,
        key,
        head,
        version_id,
        origin,
    } = created;
    let record = Record {
        event_version: "2.1",
        event_source: "aws:s3",
        aws_region: &region_account.region,
        event_time: format_time(head.modified.time()),
        event_name: name.as_str(),
        user_identity: Identity {
            principal_id: &origin.principal,
        },
        request_parameters: RequestParameters {
            source_ip: origin.source_ip,
        },
        response_elements: ResponseElements {
            request_id: &origin.request_id,
            host_id: &origin.host_id,
        },
        s3: S3 {
            schema_version: "1.0",
            configuration_id: rule,
            bucket: Bucket {
                name: bucket,
                owner_identity: Identity {
                    principal_id: &region_account.account,
                },
                arn: format!("arn:aws:s3:::{bucket}"),
            },
            object: Object {
                key: encode_key(key),
                size: head.size,
                e_tag: &head.etag,
                version_id: version_id.as_deref(),
                sequencer: head.modified.to_string(),
            },
        },
    };
    serde_json::to_vec(&Message { records: [record] }).map(Bytes::from)
}

/// Formats a time as `2026-11-22T07:30:00.123Z`.
pub fn format_time(at: OffsetDateTime) -> String {
    const TIME: &[FormatItem<'_>] =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    at.format(TIME).unwrap_or_default()
}

#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "Records")]
    records: [Record<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    event_version: &'static str,
    event_source: &'static str,
    aws_region: &'a str,
    event_time: String,
    event_name: &'static str,
    user_identity: Identity<'a>,
    request_parameters: RequestParameters,
    response_elements: ResponseElements<'a>,
    s3: S3<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    principal_id: &'a str,
}

#[derive(Serialize)]
struct RequestParameters {
    #[serde(rename = "sourceIPAddress")]
    source_ip: IpAddr,
}

#[derive(Serialize)]
struct ResponseElements<'a> {
    #[serde(rename = "x-amz-request-id")]
    request_id: &'a str,
    #[serde(rename = "x-amz-id-2")]
    host_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct S3<'a> {
    #[serde(rename = "s3SchemaVersion")]
    schema_version: &'static str,
    configuration_id: &'a str,
    bucket: Bucket<'a>,
    object: Object<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bucket<'a> {
    name: &'a str,
    owner_identity: Identity<'a>,
    arn: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Object<'a> {
    key: String,
    size: u64,
    e_tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    sequencer: String,
}

#[cfg(test)]
mod tests {
    use super::encode_key;

    #[test]
    fn keys_are_encoded_as_s3_does() {
        let cases = [
            (
                "transactions/dt=2026-11-22/hh=07/a.ndjson",
                "transactions/dt%3D2026-11-22/hh%3D07/a.ndjson",
            ),
            ("a b+c%d", "a+b%2Bc%25d"),
            ("t:1~2*3", "t%3A1%7E2*3"),
            ("ü/(1)", "%C3%BC/%281%29"),
        ];
        for (key, encoded) in cases {
            assert_eq!(encode_key(key), encoded);
        }
    }
}
