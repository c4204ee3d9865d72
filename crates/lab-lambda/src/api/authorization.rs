//! Who may call.

use http::{HeaderMap, header};

use super::error::ApiError;
use crate::secret::AccessKeyIds;

/// Takes a request whose Authorization header has the form of Signature Version 4 and names a known access
/// key id. The signature itself is not checked: see [`crate::api`].
pub fn check(headers: &HeaderMap, known: &AccessKeyIds) -> Result<(), ApiError> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(ApiError::MissingAuthentication)?;
    let id = header
        .to_str()
        .ok()
        .and_then(access_key_id)
        .ok_or(ApiError::IncompleteSignature)?;
    if known.contains(id) {
        Ok(())
    } else {
        Err(ApiError::UnrecognizedClient)
    }
}

/// `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, SignedHeaders=…, Signature=…`.
fn access_key_id(header: &str) -> Option<&str> {
    let parameters = header.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let parameter = |name: &str| {
        parameters
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let (id, scope) = parameter("Credential")?.split_once('/')?;
    let complete = scope.ends_with("/aws4_request")
        && parameter("SignedHeaders").is_some()
        && parameter("Signature").is_some();
    complete.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_found_in_a_whole_header_alone() {
        let whole = "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/lambda/aws4_request, \
                     SignedHeaders=host, Signature=00";
        assert_eq!(access_key_id(whole), Some("AKID"));
        assert_eq!(access_key_id(&whole.replace(", ", ",")), Some("AKID"));
        for broken in [
            "",
            "Bearer AKID",
            "AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/lambda/aws4_request",
            "AWS4-HMAC-SHA256 SignedHeaders=host, Signature=00",
        ] {
            assert_eq!(access_key_id(broken), None, "{broken}");
        }
    }
}
