//! The condition keys of a request.

use percent_encoding::percent_decode_str;
use s3s::S3Result;
use s3s::access::S3AccessContext;

use super::identity::Caller;
use crate::store::{StoreError, Uploads};
use aws_model::iam::{Context, Key};

/// Condition keys that depend only on the caller.
///
/// The lab speaks plain HTTP, but only on loopback, where nobody can listen in. `aws:SecureTransport` is therefore
/// true, so that a policy that requires TLS can be used unchanged.
pub fn of_caller(caller: &Caller) -> Context {
    let mut context = Context::default();
    context.set(Key::SECURE_TRANSPORT, Some("true"));
    context.set_principal(&caller.0.principal);
    context
}

/// Returns all condition keys of a request.
pub fn of_request(
    cx: &S3AccessContext<'_>,
    caller: &Caller,
    uploads: &Uploads,
) -> S3Result<Context> {
    let mut context = of_caller(caller);
    let header = |name: &str| cx.headers().get(name).and_then(|value| value.to_str().ok());
    context.set(Key::ENCRYPTION, header("x-amz-server-side-encryption"));
    context.set(
        Key::KMS_KEY_ID,
        header("x-amz-server-side-encryption-aws-kms-key-id"),
    );
    context.set(Key::ACL, header("x-amz-acl"));
    context.set(Key::IF_NONE_MATCH, header("if-none-match"));
    let query = |name: &str| query_value(cx.uri().query().unwrap_or_default(), name);
    context.set(Key::PREFIX, query("prefix"));
    context.set(Key::DELIMITER, query("delimiter"));
    // The encryption of a multipart upload is set once, when the upload is created.
    if matches!(cx.s3_op().name(), "UploadPart" | "CompleteMultipartUpload") {
        let id = query("uploadId").unwrap_or_default();
        let upload = uploads.find(&id).ok_or(StoreError::NoSuchUpload(id))?;
        context.set(Key::ENCRYPTION, Some(upload.attributes.encryption.clone()));
    }
    Ok(context)
}

/// Whether a request is about one version of its object.
pub fn names_version(cx: &S3AccessContext<'_>) -> bool {
    query_value(cx.uri().query().unwrap_or_default(), "versionId").is_some()
}

/// Returns the decoded value of the first query parameter with that name.
fn query_value(query: &str, name: &str) -> Option<String> {
    let decode = |text: &str| {
        percent_decode_str(&text.replace('+', " "))
            .decode_utf8_lossy()
            .into_owned()
    };
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(key) == name).then(|| decode(value))
    })
}

#[cfg(test)]
mod tests {
    use super::query_value;

    #[test]
    fn query_values_are_decoded() {
        let query = "list-type=2&prefix=a%2Fb+c%2B&delimite%72=%2F&flag";
        assert_eq!(query_value(query, "prefix").as_deref(), Some("a/b c+"));
        assert_eq!(query_value(query, "delimiter").as_deref(), Some("/"));
        assert_eq!(query_value(query, "flag").as_deref(), Some(""));
        assert_eq!(query_value(query, "marker"), None);
    }
}
