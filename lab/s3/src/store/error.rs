//! Errors of the store, and S3's answer to each.

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};

use s3s::{S3Error, S3ErrorCode};

use crate::clock::Stamp;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("bucket {0:?} does not exist")]
    NoSuchBucket(String),
    #[error("upload {0:?} does not exist")]
    NoSuchUpload(String),
    #[error("version {0} does not exist")]
    NoSuchVersion(Stamp),
    #[error("version {0} is a delete marker")]
    DeleteMarker(Stamp),
    #[error("version {0} is within its retention")]
    Locked(Stamp),
    #[error("the object exists already")]
    Exists,
    #[error("{limit} multipart uploads are open; complete or abort some")]
    TooManyUploads { limit: usize },
    #[error("{} is in use by another server; stop it or choose another root", root.display())]
    InUse { root: PathBuf, source: TryLockError },
    #[error("{} is not an object of the lab; move it out of the bucket's directory", path.display())]
    NotAnObject { path: PathBuf },
    #[error("{}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot use an object's file")]
    Files(#[source] object_store::Error),
}

impl StoreError {
    /// Returns a function for `map_err` that makes an I/O error at `path`.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }
}

impl From<object_store::Error> for StoreError {
    fn from(source: object_store::Error) -> Self {
        match source {
            object_store::Error::AlreadyExists { .. } => Self::Exists,
            source => Self::Files(source),
        }
    }
}

impl From<object_store::path::Error> for StoreError {
    fn from(source: object_store::path::Error) -> Self {
        Self::Files(object_store::Error::InvalidPath { source })
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        let (code, message) = match &error {
            StoreError::NoSuchBucket(_) => (
                S3ErrorCode::NoSuchBucket,
                "The specified bucket does not exist",
            ),
            StoreError::NoSuchUpload(_) => (
                S3ErrorCode::NoSuchUpload,
                "The specified multipart upload does not exist, or was completed or aborted.",
            ),
            StoreError::NoSuchVersion(_) => (
                S3ErrorCode::NoSuchVersion,
                "The specified version does not exist.",
            ),
            StoreError::DeleteMarker(_) => (
                S3ErrorCode::MethodNotAllowed,
                "The specified method is not allowed against this resource.",
            ),
            StoreError::Locked(_) => (
                S3ErrorCode::AccessDenied,
                "Access Denied because object protected by object lock.",
            ),
            StoreError::Exists => (
                S3ErrorCode::PreconditionFailed,
                "At least one of the pre-conditions you specified did not hold",
            ),
            StoreError::TooManyUploads { .. } => (
                S3ErrorCode::SlowDown,
                "Too many multipart uploads are open.",
            ),
            StoreError::InUse { .. }
            | StoreError::NotAnObject { .. }
            | StoreError::Io { .. }
            | StoreError::Files(_) => {
                tracing::error!(error = ?error, "the store failed");
                (
                    S3ErrorCode::InternalError,
                    "We encountered an internal error. Please try again.",
                )
            }
        };
        let mut answer = Self::with_message(code, message);
        answer.set_source(Box::new(error));
        answer
    }
}
