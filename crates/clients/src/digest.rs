//! The digest of a body, by the header Content-Digest (RFC 9530).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::HeaderName;
use sfv::{Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

use crate::signature::joined;

pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// What a request says of its body. At least one of them is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentDigest {
    sha256: Option<Vec<u8>>,
    sha512: Option<Vec<u8>>,
}

impl ContentDigest {
    /// Reads the header. `None` if it is absent, malformed, or names no algorithm that is known here.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let digests: Dictionary = Parser::new(&joined(headers, &CONTENT_DIGEST)?)
            .parse()
            .ok()?;
        let digest = |name: &str| match digests.get(name)? {
            ListEntry::Item(item) => item.bare_item.as_byte_sequence().map(<[u8]>::to_vec),
            ListEntry::InnerList(_) => None,
        };
        let (sha256, sha512) = (digest("sha-256"), digest("sha-512"));
        (sha256.is_some() || sha512.is_some()).then_some(Self { sha256, sha512 })
    }

    /// Whether all digests that are known here are this body's.
    pub fn is_of(&self, body: &[u8]) -> bool {
        let is_right = |said: &Option<Vec<u8>>, digest: &dyn Fn() -> Vec<u8>| {
            said.as_ref().is_none_or(|said| *said == digest())
        };
        is_right(&self.sha256, &|| Sha256::digest(body).to_vec())
            && is_right(&self.sha512, &|| Sha512::digest(body).to_vec())
    }
}

/// The value of the header for this body.
pub fn header_of(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    const BODY: &[u8] = br#"{"hello": "world"}"#;

    fn read(value: &str) -> Option<ContentDigest> {
        let value = HeaderValue::from_str(value).unwrap();
        ContentDigest::of(&HeaderMap::from_iter([(CONTENT_DIGEST, value)]))
    }

    #[test]
    fn p10_the_digests_of_rfc_9530_are_those_of_their_body() {
        let sha256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        let sha512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        assert_eq!(header_of(BODY), sha256);
        for header in [sha256, sha512, &format!("{sha256}, {sha512}, md5=:AAAA:")] {
            let digest = read(header).unwrap();
            assert!(digest.is_of(BODY), "{header}");
            assert!(!digest.is_of(br#"{"hello": "World"}"#), "{header}");
        }
        // One that is wrong makes the whole wrong.
        let mixed = read(&format!("{sha512}, sha-256=:AAAA:")).unwrap();
        assert!(!mixed.is_of(BODY));
    }

    #[test]
    fn p10_a_header_without_a_known_digest_is_none() {
        for header in [
            "",
            "md5=:AAAA:",
            "sha-256=AAAA",
            "sha-256=:AAAA",
            "sha-256",
            "sha-256=(:AAAA:)",
        ] {
            assert_eq!(read(header), None, "{header}");
        }
        assert_eq!(ContentDigest::of(&HeaderMap::new()), None);
    }
}
