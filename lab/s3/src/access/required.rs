//! The permissions that each S3 operation requires.

use http::HeaderMap;
use s3s::dto::CopySource;
use s3s::{S3Result, s3_error};

/// The IAM actions behind an operation (IAM Service Authorization Reference, "Amazon S3").
#[derive(Debug, PartialEq, Eq)]
pub enum Required {
    /// One action on the bucket or object in the request's path.
    Action(&'static str),
    /// `s3:GetObject` or `s3:GetObjectVersion` on the source, `s3:PutObject` on the object in the path.
    CopyActions,
    /// `s3:DeleteObject` or `s3:DeleteObjectVersion` on every key in the body, which the operation checks itself.
    ActionPerKey,
    /// An operation that the lab does not have.
    Unknown,
}

/// Returns what an operation requires, on a version if it `names_version`.
pub fn by(operation: &str, names_version: bool) -> Required {
    match operation {
        "GetObject" | "HeadObject" if names_version => Required::Action("s3:GetObjectVersion"),
        "DeleteObject" if names_version => Required::Action("s3:DeleteObjectVersion"),
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => {
            Required::Action("s3:PutObject")
        }
        "GetObject" | "HeadObject" => Required::Action("s3:GetObject"),
        "DeleteObject" => Required::Action("s3:DeleteObject"),
        "AbortMultipartUpload" => Required::Action("s3:AbortMultipartUpload"),
        "HeadBucket" | "ListObjects" | "ListObjectsV2" => Required::Action("s3:ListBucket"),
        "ListObjectVersions" => Required::Action("s3:ListBucketVersions"),
        "GetBucketVersioning" => Required::Action("s3:GetBucketVersioning"),
        "GetObjectLockConfiguration" => Required::Action("s3:GetBucketObjectLockConfiguration"),
        "GetObjectRetention" => Required::Action("s3:GetObjectRetention"),
        "GetBucketLocation" => Required::Action("s3:GetBucketLocation"),
        "CreateBucket" => Required::Action("s3:CreateBucket"),
        "ListBuckets" => Required::Action("s3:ListAllMyBuckets"),
        "CopyObject" => Required::CopyActions,
        "DeleteObjects" => Required::ActionPerKey,
        _ => Required::Unknown,
    }
}

/// Returns the action, bucket and key by which a copy reads.
pub fn copy_source(headers: &HeaderMap) -> S3Result<(&'static str, String, String)> {
    let invalid = || s3_error!(InvalidArgument, "x-amz-copy-source must be bucket/key");
    let header = headers
        .get("x-amz-copy-source")
        .and_then(|value| value.to_str().ok());
    match CopySource::parse(header.ok_or_else(invalid)?) {
        Ok(CopySource::Bucket {
            bucket,
            key,
            version_id,
        }) => {
            let action = match version_id {
                Some(_) => "s3:GetObjectVersion",
                None => "s3:GetObject",
            };
            Ok((action, bucket.into(), key.into()))
        }
        _ => Err(invalid()),
    }
}
