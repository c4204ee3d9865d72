//! Features that the lab does not support. Requests that use them are refused, not silently accepted.

use s3s::dto::{
    CompleteMultipartUploadInput, CopyObjectInput, CreateMultipartUploadInput, GetObjectInput,
    PutObjectInput,
};
use s3s::{S3Result, s3_error};

/// A request that may use an unsupported feature.
pub trait Request {
    /// Returns the names of unsupported features, and whether the request uses each.
    fn features(&self) -> Vec<(&'static str, bool)>;

    fn refuse_unsupported(&self) -> S3Result<()> {
        match self.features().into_iter().find(|(_, asked)| *asked) {
            Some((feature, _)) => Err(s3_error!(
                NotImplemented,
                "{feature} is not supported by the lab"
            )),
            None => Ok(()),
        }
    }
}

/// Lists the features of writes. The inputs have the same members, but no common type.
macro_rules! features_of_writes {
    ($($input:ty),+) => {$(
        impl Request for $input {
            fn features(&self) -> Vec<(&'static str, bool)> {
                vec![
                    ("encryption with customer keys", self.sse_customer_algorithm.is_some()),
                    ("tagging", self.tagging.is_some()),
                    ("object lock", self.object_lock_mode.is_some()),
                    ("a legal hold", self.object_lock_legal_hold_status.is_some()),
                    ("website redirection", self.website_redirect_location.is_some()),
                    ("Expires", self.expires.is_some()),
                    ("this storage class", self.storage_class.as_ref().is_some_and(|class| class.as_str() != "STANDARD")),
                    ("this ACL", self.acl.as_ref().is_some_and(|acl| !OWNER_ONLY.contains(&acl.as_str()))),
                ]
            }
        }
    )+};
}

features_of_writes!(PutObjectInput, CreateMultipartUploadInput, CopyObjectInput);

/// ACLs that grant nobody else anything, in a bucket whose owner writes.
const OWNER_ONLY: [&str; 2] = ["private", "bucket-owner-full-control"];

impl Request for CompleteMultipartUploadInput {
    fn features(&self) -> Vec<(&'static str, bool)> {
        let checksum = self.checksum_crc32.is_some()
            || self.checksum_crc32c.is_some()
            || self.checksum_crc64nvme.is_some()
            || self.checksum_sha1.is_some()
            || self.checksum_sha256.is_some();
        vec![
            (
                "encryption with customer keys",
                self.sse_customer_algorithm.is_some(),
            ),
            ("a checksum of the whole multipart upload", checksum),
        ]
    }
}

impl Request for GetObjectInput {
    fn features(&self) -> Vec<(&'static str, bool)> {
        vec![
            (
                "encryption with customer keys",
                self.sse_customer_algorithm.is_some(),
            ),
            ("partNumber", self.part_number.is_some()),
        ]
    }
}
