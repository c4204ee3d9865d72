//! Who may call: the bearers of known access key ids.
//!
//! The signature itself is not checked. The ids are random, as long as a password, and told to the lab's own parts
//! alone; so they are secrets here.

use std::fmt;

use http::{HeaderMap, header};
use serde::Deserialize;

/// Access key ids whose bearers may call.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyIds(Vec<String>);

/// Why a caller is turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stranger {
    /// There is no header Authorization.
    Missing,
    /// It has not the form of Signature Version 4.
    Incomplete,
    /// It names an id that nobody here has.
    Unknown,
}

impl AccessKeyIds {
    pub fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Takes a request whose header Authorization has the form of Signature Version 4 and names a known id.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(), Stranger> {
        if self.contains(claimed(headers)?) {
            Ok(())
        } else {
            Err(Stranger::Unknown)
        }
    }

    /// Takes as long for a near miss as for a far one.
    pub(crate) fn contains(&self, id: &str) -> bool {
        self.0.iter().fold(false, |found, known| {
            found | same(known.as_bytes(), id.as_bytes())
        })
    }

    /// At least one, and each as AWS would make it.
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

/// The id that a request's header Authorization names, in the form of Signature Version 4.
pub(crate) fn claimed(headers: &HeaderMap) -> Result<&str, Stranger> {
    let header = headers
        .get(header::AUTHORIZATION)
        .ok_or(Stranger::Missing)?;
    let id = header.to_str().ok().and_then(access_key_id);
    id.ok_or(Stranger::Incomplete)
}

pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && difference == 0
}

/// The id in `AWS4-HMAC-SHA256 Credential=ID/date/region/service/aws4_request, SignedHeaders=…, Signature=…`.
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
    fn strangers_are_told_apart() {
        let of =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        let known = AccessKeyIds::new(["AKID".to_owned()]);
        assert_eq!(known.admit(&of(WHOLE)), Ok(()));
        assert_eq!(known.admit(&HeaderMap::new()), Err(Stranger::Missing));
        assert_eq!(known.admit(&of("Bearer AKID")), Err(Stranger::Incomplete));
        let other = AccessKeyIds::new(["OTHER".to_owned()]);
        assert_eq!(other.admit(&of(WHOLE)), Err(Stranger::Unknown));
        assert!(!format!("{known:?}").contains("AKID"));
    }
}
