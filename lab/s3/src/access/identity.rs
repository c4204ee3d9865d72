//! The identities of the lab.

use std::sync::Arc;

use http::Extensions;
use s3s::auth::SecretKey;
use s3s::{S3Result, s3_error};

use aws_model::iam::{Policy, Principal};

/// A role and its key pair.
pub struct Identity {
    pub access_key_id: String,
    pub secret_access_key: SecretKey,
    pub role: String,
    pub principal: Principal,
    pub policies: Vec<Policy>,
    pub admin: bool,
}

/// The identity that signed a request. Carried in the request's extensions.
#[derive(Clone)]
pub struct Caller(pub Arc<Identity>);

impl Caller {
    /// Returns the identity of a request that passed the access check.
    pub fn of(extensions: &Extensions) -> S3Result<&Self> {
        extensions
            .get::<Self>()
            .ok_or_else(|| s3_error!(AccessDenied, "Access Denied"))
    }
}
