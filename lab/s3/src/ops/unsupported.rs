//! Parts of requests that the lab has no answer to. They are refused, not ignored.

use s3s::dto::{
    CompleteMultipartUploadInput, CopyObjectInput, CreateMultipartUploadInput, GetObjectInput,
    PutObjectInput,
};
use s3s::{S3Result, s3_error};

/// A request that may ask for what the lab doesn't do.
pub trait Request {
    /// The names of features that the lab doesn't have, and whether the request asks for each.
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

/// The features of writes. The inputs have the same members, but no common type.
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

/// ACLs that give nobody else a right, in a bucket whose owner writes.
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
            ("versionId", self.version_id.is_some()),
            ("partNumber", self.part_number.is_some()),
        ]
    }
}
