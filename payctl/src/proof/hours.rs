//! A digest of each hour: what its objects are, and what its rows say.

use payment_core::Timestamp;
use payment_core::chain::ObjectHash;
use payment_store::audit::Row;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::range::hour_of;

/// One hour's folder, as it was seen.
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

/// The hours of a walk, the last of which is at work.
#[derive(Debug, Default)]
pub struct Hours {
    done: Vec<Hour>,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    hour: Timestamp,
    objects: u64,
    objects_hash: Sha256,
    rows: RowDigest,
}

impl RowDigest {
    /// Adds the row that a line of the object became.
    pub fn add(&mut self, row: &Row) {
        self.count += 1;
        text(&mut self.hash, &row.client);
        text(&mut self.hash, &row.payment_id);
        match &row.content_hash {
            Some(hash) => self.hash.update(hash.as_bytes()),
            None => self.hash.update([0]),
        }
        text(&mut self.hash, &row.object_key);
        self.hash.update(row.object_line.to_be_bytes());
    }
}

impl Hours {
    /// Adds the next object in the order of keys; one outside the hours' folders has no hour.
    pub fn add(&mut self, prefix: &str, key: &str, sha256: ObjectHash, rows: RowDigest) {
        let Some(hour) = hour_of(prefix, key) else {
            return;
        };
        if self
            .current
            .as_ref()
            .is_none_or(|current| current.hour != hour)
        {
            self.close();
        }
        let current = self.current.get_or_insert_with(|| Current {
            hour,
            objects: 0,
            objects_hash: Sha256::new(),
            rows: RowDigest::default(),
        });
        current.objects += 1;
        text(&mut current.objects_hash, key);
        current.objects_hash.update(sha256.as_bytes());
        current.rows.count += rows.count;
        current.rows.hash.update(rows.hash.finalize());
    }

    pub fn finish(mut self) -> Vec<Hour> {
        self.close();
        self.done
    }

    fn close(&mut self) {
        self.done.extend(self.current.take().map(|current| Hour {
            begin: current.hour.to_string(),
            objects: current.objects,
            objects_sha256: hex(current.objects_hash),
            rows: current.rows.count,
            rows_sha256: hex(current.rows.hash),
        }));
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
