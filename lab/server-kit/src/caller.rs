//! Authentication: known access key ids.
//!
//! Signatures are not verified. The ids are random, as long as a password, and given to the lab's own parts only, so
//! they are the secrets here.

use std::fmt;

use http::{HeaderMap, header};
use serde::Deserialize;

/// Access key ids whose holders may call.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyIds(Vec<String>);

/// Why a caller was not authenticated, in AWS's wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    #[error("Missing Authentication Token")]
    Missing,
    #[error("The Authorization header is not in Signature Version 4 format")]
    Incomplete,
    #[error("The security token included in the request is invalid.")]
    Unknown,
}

impl AccessKeyIds {
    pub fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Authenticates a request by the known access key id in its Signature Version 4 Authorization header.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), AuthError> {
        if self.contains(claimed(headers)?) {
            Ok(())
        } else {
            Err(AuthError::Unknown)
        }
    }

    /// Compares in constant time.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.iter().fold(false, |found, known| {
            found | same(known.as_bytes(), id.as_bytes())
        })
    }

    /// Whether there is at least one id, and each has the format of AWS's own.
    pub fn are_usable(&self) -> bool {
        let usable = |id: &String| {
            (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        !self.0.is_empty() && self.0.iter().all(usable)
    }
}

impl fmt::Debug for AccessKeyIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKeyIds({} not shown)", self.0.len())
    }
}

/// Returns the access key id of a request's Signature Version 4 Authorization header.
pub(crate) fn claimed(headers: &HeaderMap) -> Result<&str, AuthError> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(AuthError::Missing)?;
    let id = header.to_str().ok().and_then(access_key_id);
    id.ok_or(AuthError::Incomplete)
}

pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && difference == 0
}

/// Returns the id of `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, SignedHeaders=…, Signature=…`.
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

    const WHOLE: &str = "AWS4-HMAC-SHA256 Credential=AKID/20261122/us-west-2/sqs/aws4_request, \
                         SignedHeaders=host, Signature=00";

    #[test]
    fn the_id_is_found_in_a_whole_header_alone() {
        assert_eq!(access_key_id(WHOLE), Some("AKID"));
        assert_eq!(access_key_id(&WHOLE.replace(", ", ",")), Some("AKID"));
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

    #[test]
    fn each_reason_to_reject_a_caller_is_named() {
        let of =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        let known = AccessKeyIds::new(["AKID".to_owned()]);
        assert_eq!(known.admit(&of(WHOLE)), Ok(()));
        assert_eq!(known.admit(&HeaderMap::new()), Err(AuthError::Missing));
        assert_eq!(known.admit(&of("Bearer AKID")), Err(AuthError::Incomplete));
        let other = AccessKeyIds::new(["OTHER".to_owned()]);
        assert_eq!(other.admit(&of(WHOLE)), Err(AuthError::Unknown));
        assert!(!format!("{known:?}").contains("AKID"));
    }
}
