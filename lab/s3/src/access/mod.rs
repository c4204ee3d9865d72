//! Authentication and authorization.
//!
//! s3s checks the signature with the secret that [`Access`] gives it, then asks [`Access`] about every operation,
//! before anything is read or written. What no table entry allows is denied.

pub mod context;
mod identity;
mod required;

use std::collections::HashMap;
use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::path::S3Path;
use s3s::{S3Error, S3Result, s3_error};

pub use identity::{Caller, Identity};
use required::Required;

use crate::store::{Store, Uploads};
use aws_model::iam::{Context, Decision, Key, Policy, Request, evaluate};

#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    account: String,
    /// Identities by access key id.
    identities: HashMap<String, Arc<Identity>>,
    /// Policies by bucket.
    policies: HashMap<String, Policy>,
    store: Arc<Store>,
    uploads: Arc<Uploads>,
}

impl Access {
    pub fn new(
        account: String,
        identities: Vec<Identity>,
        policies: HashMap<String, Policy>,
        store: Arc<Store>,
        uploads: Arc<Uploads>,
    ) -> Self {
        let by_key = |identity: Identity| (identity.access_key_id.clone(), Arc::new(identity));
        let identities = identities.into_iter().map(by_key).collect();
        Self(Arc::new(Inner {
            account,
            identities,
            policies,
            store,
            uploads,
        }))
    }

    /// Refuses `caller` with S3's 403, unless the policies allow `action` on the object or bucket.
    pub fn authorize(
        &self,
        caller: &Caller,
        action: &str,
        bucket: &str,
        key: Option<&str>,
        context: &Context,
    ) -> S3Result<()> {
        let identity = &caller.0;
        if identity.admin {
            return Ok(());
        }
        let resource = arn(bucket, key);
        let request = Request {
            principal: &identity.principal,
            action,
            resource: &resource,
            context,
        };
        let of_bucket = self.0.policies.get(bucket);
        let why = match evaluate(request, &identity.policies, of_bucket) {
            Decision::Allowed => return Ok(()),
            Decision::ExplicitlyDenied => "with an explicit deny in a policy",
            Decision::NotAllowed => "because no policy allows the action",
        };
        let user = identity.principal.name();
        tracing::info!(role = identity.role, action, resource, why, "access denied");
        Err(s3_error!(
            AccessDenied,
            "User: {user} is not authorized to perform: {action} on resource: \"{resource}\" {why}"
        ))
    }

    /// Returns the error for an object that does not exist: 404 for a caller who may list it, 403 for everyone else, so
    /// that the answer does not expose what a listing would hide.
    pub fn absent_object(&self, caller: &Caller, bucket: &str, key: &str) -> S3Error {
        let mut context = context::of_caller(caller);
        context.set(Key::PREFIX, Some(key));
        match self.authorize(caller, "s3:ListBucket", bucket, None, &context) {
            Ok(()) => s3_error!(NoSuchKey, "The specified key does not exist."),
            Err(denied) => denied,
        }
    }

    fn caller(&self, cx: &S3AccessContext<'_>) -> S3Result<Caller> {
        let unsigned = || s3_error!(AccessDenied, "Access Denied");
        let credentials = cx.credentials().ok_or_else(unsigned)?;
        let identity = self.0.identities.get(&credentials.access_key);
        Ok(Caller(Arc::clone(identity.ok_or_else(unsigned)?)))
    }

    fn check_owner(&self, cx: &S3AccessContext<'_>) -> S3Result<()> {
        match cx.headers().get("x-amz-expected-bucket-owner") {
            Some(owner) if owner.as_bytes() != self.0.account.as_bytes() => Err(s3_error!(
                AccessDenied,
                "The bucket belongs to another account"
            )),
            _ => Ok(()),
        }
    }

    fn check_operation(&self, cx: &S3AccessContext<'_>, caller: &Caller) -> S3Result<()> {
        let operation = cx.s3_op().name();
        let (bucket, key) = match cx.s3_path() {
            S3Path::Root => ("", None),
            S3Path::Bucket { bucket } => (&**bucket, None),
            S3Path::Object { bucket, key } => (&**bucket, Some(&**key)),
        };
        if operation != "CreateBucket" && !bucket.is_empty() {
            self.0.store.bucket(bucket)?;
        }
        let context = context::of_request(cx, caller, &self.0.uploads)?;
        match required::by(operation, context::names_version(cx)) {
            Required::Action(action) => self.authorize(caller, action, bucket, key, &context),
            Required::CopyActions => {
                let (action, from_bucket, from_key) = required::copy_source(cx.headers())?;
                let read = context::of_caller(caller);
                self.authorize(caller, action, &from_bucket, Some(&from_key), &read)?;
                self.authorize(caller, "s3:PutObject", bucket, key, &context)
            }
            Required::ActionPerKey => Ok(()),
            Required::Unknown if caller.0.admin => Ok(()),
            Required::Unknown => Err(s3_error!(
                AccessDenied,
                "{operation} is not allowed for any role"
            )),
        }
    }
}

fn arn(bucket: &str, key: Option<&str>) -> String {
    match key {
        _ if bucket.is_empty() => "arn:aws:s3:::*".to_owned(),
        Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
        None => format!("arn:aws:s3:::{bucket}"),
    }
}

#[async_trait::async_trait]
impl S3Auth for Access {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let identity = self.0.identities.get(access_key);
        identity
            .map(|identity| identity.secret_access_key.clone())
            .ok_or_else(|| {
                s3_error!(
                    InvalidAccessKeyId,
                    "The AWS Access Key Id you provided does not exist in our records."
                )
            })
    }
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let caller = self.caller(cx)?;
        self.check_owner(cx)?;
        self.check_operation(cx, &caller)?;
        cx.extensions_mut().insert(caller);
        Ok(())
    }
}
