//! A digest of each hour: what its objects are, and what its rows say.

use std::collections::BTreeMap;

use payment_core::Timestamp;
use payment_core::chain::ObjectHash;
use payment_store::audit::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::chain::Inside;
use crate::range::{begin_of_hour, hour_of};

/// One hour, as it was seen: the objects of its folder, and those outside of such folders that S3 stored in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hour {
    pub begin: String,
    pub objects: u64,
    /// Over the key and the SHA-256 of each object, in the order of the keys.
    pub objects_sha256: String,
    pub rows: u64,
    /// Over each object's rows, in the same order.
    pub rows_sha256: String,
}

/// The rows of one object, in the order of its lines.
#[derive(Debug, Clone, Default)]
pub struct RowDigest {
    count: u64,
    hash: Sha256,
}

/// The hours of a walk.
#[derive(Debug, Default)]
pub struct Hours(BTreeMap<Timestamp, Digests>);

#[derive(Debug, Default)]
struct Digests {
    objects: u64,
    objects_hash: Sha256,
    rows: RowDigest,
}

/// The hour of an object's folder, or else that in which S3 stored it.
pub fn hour_of_object(prefix: &str, key: &str, stored_at: Timestamp) -> Timestamp {
    hour_of(prefix, key).unwrap_or_else(|| begin_of_hour(stored_at))
}

impl RowDigest {
    /// Adds the row that a line of the object became.
    pub fn add(&mut self, row: &Row<'_>) {
        self.count += 1;
        text(&mut self.hash, row.client);
        text(&mut self.hash, row.payment_id);
        match &row.content_hash {
            Some(hash) => self.hash.update(hash.as_bytes()),
            None => self.hash.update([0]),
        }
        text(&mut self.hash, row.object_key);
        self.hash.update(row.object_line.to_be_bytes());
    }
}

impl Hours {
    /// Adds the next object in the order of keys.
    pub fn add(&mut self, prefix: &str, key: &str, sha256: ObjectHash, inside: Inside) {
        let Inside { stored_at, rows } = inside;
        let hour = hour_of_object(prefix, key, stored_at);
        let digests = self.0.entry(hour).or_default();
        digests.objects += 1;
        text(&mut digests.objects_hash, key);
        digests.objects_hash.update(sha256.as_bytes());
        digests.rows.count += rows.count;
        digests.rows.hash.update(rows.hash.finalize());
    }

    pub fn finish(self) -> Vec<Hour> {
        let hour = |(begin, digests): (Timestamp, Digests)| Hour {
            begin: begin.to_string(),
            objects: digests.objects,
            objects_sha256: hex(digests.objects_hash),
            rows: digests.rows.count,
            rows_sha256: hex(digests.rows.hash),
        };
        self.0.into_iter().map(hour).collect()
    }
}

/// With its length, so that no two lists of texts look the same.
fn text(hash: &mut Sha256, text: &str) {
    let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
    hash.update(length.to_be_bytes());
    hash.update(text.as_bytes());
}

fn hex(hash: Sha256) -> String {
    let bytes: [u8; 32] = hash.finalize().into();
    ObjectHash::from_bytes(&bytes).map_or_else(String::new, |hash| hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = "t/dt=2026-11-22/hh=07/a.ndjson";

    fn hours(objects: &[(&str, &str, &[u8])]) -> Vec<Hour> {
        let mut hours = Hours::default();
        for (key, stored_at, body) in objects {
            let inside = Inside::without_rows(Timestamp::parse(stored_at).unwrap());
            hours.add("t/", key, ObjectHash::of(body), inside);
        }
        hours.finish()
    }

    #[test]
    fn p11_an_object_outside_the_hours_folders_is_of_the_hour_that_stored_it() {
        let beside = |body: &'static [u8]| ("t/a.json", "2026-11-22T07:59:59Z", body);
        let late = (FOLDER, "2026-11-22T08:00:01Z", &b"x"[..]);
        let begins = |hours: Vec<Hour>| -> Vec<_> {
            let begins = hours.into_iter();
            begins.map(|hour| (hour.begin, hour.objects)).collect()
        };
        let seven = "2026-11-22T07:00:00.000000Z".to_owned();
        let both = hours(&[beside(b"a"), late]);
        assert_eq!(begins(both.clone()), [(seven, 2)]);
        assert_ne!(both, hours(&[beside(b"b"), late]));
        let next = ("t/b.json", "2026-11-22T08:00:00Z", &b"b"[..]);
        assert_eq!(begins(hours(&[late, next])).len(), 2);
    }
}
