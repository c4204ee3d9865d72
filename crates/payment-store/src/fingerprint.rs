//! What the ledger keeps of an object's body, so that database and journal vouch for each other.

use payment_core::chain::{ObjectHash, Position, RunId};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;

/// Hash of an object's body, and its position in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Fingerprint {
    /// Hash of the whole body, as it is stored. Unknown for an object that was refused before its end was read, and for
    /// one that was ingested by an older function.
    pub sha256: Option<ObjectHash>,
    /// Where the object stands in the chain, by its header.
    pub position: Option<Position>,
}

impl Fingerprint {
    /// Reads the columns `sha256`, `run` and `seq`, which begin at `first`. `None` if they hold what no function
    /// writes.
    pub(crate) fn read(row: &MySqlRow, first: usize) -> Option<Self> {
        let sha256: Option<&[u8]> = row.try_get(first).ok()?;
        let run: Option<&str> = row.try_get(first + 1).ok()?;
        let seq: Option<u64> = row.try_get(first + 2).ok()?;
        let position = match (run, seq) {
            (None, None) => None,
            (Some(run), Some(seq)) => Some(Position {
                run: RunId::parse(run)?,
                seq,
            }),
            _ => return None,
        };
        let sha256 = sha256.map(ObjectHash::from_bytes);
        Some(Self {
            sha256: sha256.map_or(Some(None), |hash| hash.map(Some))?,
            position,
        })
    }
}
