//! The lab's S3: a server of its own on s3s and local files, with roles, event notification and faults.
