//! Object versions as the tables tell them apart.

use payment_core::object_key::RECORDED_CHARS_MAX;
use payment_core::{ObjectVersion, Timestamp};

use crate::error::Error;

/// A version as the columns `object_key` and `object_etag` take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionColumns<'a> {
    key: &'a str,
    etag: &'a str,
    stored_at: Timestamp,
}

impl<'a> VersionColumns<'a> {
    /// Returns the columns of a version, under the key that is recorded ([`ObjectVersion::recorded`]).
    pub fn new(version: &'a ObjectVersion) -> Result<Self, Error> {
        let key = version.key.as_str();
        let chars = key.chars().count();
        if chars > RECORDED_CHARS_MAX {
            return Err(Error::KeyTooLong { chars });
        }
        Ok(Self {
            key,
            etag: version.etag.as_str(),
            stored_at: version.stored_at,
        })
    }

    pub fn key(self) -> &'a str {
        self.key
    }

    pub fn etag(self) -> &'a str {
        self.etag
    }

    pub fn stored_at(self) -> Timestamp {
        self.stored_at
    }

    /// Whether a row of the ledger stands for this version. The database's collation finds rows of other keys as well,
    /// which differ in spaces at the end.
    pub fn is_taken_by(self, row: &LedgerKey) -> bool {
        row.key == self.key
            && is_same_version(&row.etag, row.ingested_at, self.etag, self.stored_at)
    }
}

/// What identifies a row of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerKey {
    pub key: String,
    pub etag: String,
    pub ingested_at: Timestamp,
}

/// Rows of the ledger from before ETags were recorded stand for what was stored by their time.
pub(crate) fn is_same_version(
    recorded_etag: &str,
    ingested_at: Timestamp,
    etag: &str,
    stored_at: Timestamp,
) -> bool {
    recorded_etag == etag || (recorded_etag.is_empty() && stored_at <= ingested_at)
}

#[cfg(test)]
mod tests {
    use payment_core::{ETag, ObjectKey};

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn version(key: &str) -> ObjectVersion {
        ObjectVersion {
            key: ObjectKey::parse(key).unwrap(),
            etag: ETag::parse("\"new\""),
            stored_at: at("2026-11-22T08:00:00Z"),
        }
    }

    #[test]
    fn a_key_that_does_not_fit_its_column_is_an_error() {
        let fits = |key: &str| VersionColumns::new(&version(key)).is_ok();
        assert!(fits(&"a".repeat(RECORDED_CHARS_MAX)));
        assert!(fits(&"ä".repeat(512)));
        assert!(fits("transactions/a.json "));
        assert!(!fits(&"a".repeat(RECORDED_CHARS_MAX + 1)));
    }

    #[test]
    fn p2_new_content_under_an_old_key_is_not_taken() {
        let version = version("k");
        let columns = VersionColumns::new(&version).unwrap();
        let is_taken_by = |key: &str, etag: &str, ingested_at| {
            columns.is_taken_by(&LedgerKey {
                key: key.to_owned(),
                etag: etag.to_owned(),
                ingested_at: at(ingested_at),
            })
        };
        assert!(is_taken_by("k", "new", "2026-11-22T08:00:01Z"));
        assert!(!is_taken_by("k", "old", "2026-11-22T08:00:01Z"));
        assert!(!is_taken_by("k ", "new", "2026-11-22T08:00:01Z"));
        assert!(!is_taken_by("k ", "old", "2026-11-22T08:00:01Z"));
        assert!(!is_taken_by("k ", "", "2026-11-22T08:00:01Z"));
        // Without an ETag, by time.
        assert!(is_taken_by("k", "", "2026-11-22T08:00:01Z"));
        assert!(!is_taken_by("k", "", "2026-11-22T07:59:59Z"));
    }
}
