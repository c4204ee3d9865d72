//! Who may call.

use http::{HeaderMap, header};

use super::error::ApiError;
use crate::secret::AccessKeyIds;

/// Takes a request whose Authorization header has the form of Signature Version 4 and names a known access key id.
/// The signature itself is not checked: see [`crate::api`].
pub fn check(headers: &HeaderMap, known: &AccessKeyIds) -> Result<(), ApiError> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(ApiError::MissingAuthentication)?;
    let id = header.to_str().ok().and_then(access_key_id);
    match id {
        None => Err(ApiError::IncompleteSignature),
        Some(id) if known.contains(id) => Ok(()),
        Some(_) => Err(ApiError::UnrecognizedClient),
    }
}

/// The id in `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, SignedHeaders=…, Signature=…`.
fn access_key_id(header: &str) -> Option<&str> {
    let mut id = None;
    let (mut signed, mut signature) = (false, false);
    for part in header.strip_prefix("AWS4-HMAC-SHA256 ")?.split(',') {
        match part.trim().split_once('=')? {
            ("Credential", credential) => {
                let (name, scope) = credential.split_once('/')?;
                id = scope.ends_with("/aws4_request").then_some(name);
            }
            ("SignedHeaders", _) => signed = true,
            ("Signature", _) => signature = true,
            _ => {}
        }
    }
    id.filter(|_| signed && signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_a_whole_header_alone() {
        let whole = "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/sqs/aws4_request, \
                     SignedHeaders=host, Signature=00";
        assert_eq!(access_key_id(whole), Some("AKID"));
        assert_eq!(access_key_id(&whole.replace(", ", ",")), Some("AKID"));
        for broken in [
            "",
            "Bearer AKID",
            "AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/sqs/aws4_request",
            "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00",
        ] {
            assert_eq!(access_key_id(broken), None, "{broken}");
        }
    }
}
