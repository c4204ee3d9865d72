//! One version of an object: what tells an object apart from another that is uploaded under its key.

use std::borrow::Cow;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::hex;
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

/// Longest ETag that is kept as it is, in bytes. S3's have at most 38.
pub const ETAG_BYTES_MAX: usize = 64;

/// S3's name for an object's content (RFC 9110, section 8.8.3), without its quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ETag(Box<str>);

/// An object as S3 stores it now. Content that is uploaded later under the same key is another version.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectVersion {
    pub key: ObjectKey,
    pub etag: ETag,
    /// When S3 stored it, in whole seconds.
    pub stored_at: Timestamp,
}

impl ObjectVersion {
    /// The version under the key that the tables hold.
    pub fn recorded(&self) -> Cow<'_, Self> {
        match self.key.recorded() {
            Cow::Borrowed(_) => Cow::Borrowed(self),
            Cow::Owned(key) => Cow::Owned(Self {
                key,
                ..self.clone()
            }),
        }
    }
}

impl ETag {
    /// Reads the header `ETag`. Text that does not fit is replaced by its SHA-256, which tells versions apart as well.
    pub fn parse(header: &str) -> Self {
        let strong = header.strip_prefix("W/").unwrap_or(header);
        let text = strong.trim_matches('"');
        if text.len() <= ETAG_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Self(text.into());
        }
        let mut hash = String::with_capacity(64);
        hex::push(&Sha256::digest(text), &mut hash);
        Self(hash.into())
    }

    /// Stands for a version whose ETag nobody noted.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether nobody noted the ETag.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags_lose_their_quotes() {
        for (header, etag) in [
            (
                "\"9a0364b9e99bb480dd25e1f0284c8555\"",
                "9a0364b9e99bb480dd25e1f0284c8555",
            ),
            (
                "\"9a0364b9e99bb480dd25e1f0284c8555-12\"",
                "9a0364b9e99bb480dd25e1f0284c8555-12",
            ),
            ("W/\"a\"", "a"),
            ("a", "a"),
            ("", ""),
        ] {
            assert_eq!(ETag::parse(header).as_str(), etag);
        }
    }

    #[test]
    fn p2_etags_that_do_not_fit_stay_different() {
        let [one, two] = ["1", "2"].map(|last| ETag::parse(&("x".repeat(64) + last)));
        assert_ne!(one, two);
        assert_eq!(one.as_str().len(), ETAG_BYTES_MAX);
        assert_ne!(ETag::parse("ä"), ETag::parse("ö"));
    }
}
