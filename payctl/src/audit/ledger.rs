//! What the ledger says of an object, against what its lines were found to be.

use payment_core::Timestamp;
use payment_core::chain::Header;
use payment_core::chain::checker::Sighting;
use payment_store::Fingerprint;
use payment_store::audit::LedgerEntry;

use super::difference::{Difference, DifferenceKind};

/// What the lines of an object were at the time when it was ingested.
#[derive(Debug, Default)]
pub struct Counted {
    pub rows: u64,
    pub duplicates: u64,
    pub conflicts: u64,
    pub rejects: u64,
    /// When the last of the lines was received, of those that say so.
    pub received_by: Option<Timestamp>,
}

impl Counted {
    /// Where every line is found, the ledger must have counted the same, at a time that can be right.
    pub fn differs(&self, entry: &LedgerEntry, lines: u64) -> Option<Difference> {
        if !entry.is_possible(self.received_by) {
            let detail = format!("ingested_at {}", entry.ingested_at);
            return Some(Difference::of_object(
                DifferenceKind::LedgerDiffers,
                &entry.key,
                Some(detail),
            ));
        }
        let pairs = [
            ("lines", entry.lines, lines),
            ("rows", entry.rows, self.rows),
            ("duplicates", entry.duplicates, self.duplicates),
            ("conflicts", entry.conflicts, self.conflicts),
            ("rejects", entry.rejects, self.rejects),
        ];
        differs(entry, &pairs)
    }
}

/// Whether the ledger kept another hash or another place in the chain than the object has. An older function kept
/// neither, and rejected the header.
pub fn differs_from_body(entry: &LedgerEntry, sighting: &Sighting) -> Option<Difference> {
    let found = Fingerprint {
        sha256: sighting.sha256(),
        position: sighting.header().map(Header::position),
    };
    let detail = match entry.fingerprint {
        None => "its sha256, run or seq is none that a function writes".to_owned(),
        Some(kept) if kept == Fingerprint::default() => {
            if found.position.is_none() || entry.rejects > 0 {
                return None;
            }
            "it has no sha256, run and seq, and no older function ingested it".to_owned()
        }
        Some(kept) if found.sha256.is_none() || kept == found => return None,
        Some(kept) => format!("{}, found {}", shown(kept), shown(found)),
    };
    Some(Difference::of_object(
        DifferenceKind::LedgerDiffers,
        &entry.key,
        Some(detail),
    ))
}

fn shown(fingerprint: Fingerprint) -> String {
    let hash = fingerprint
        .sha256
        .map_or_else(String::new, |hash| hash.to_string());
    match fingerprint.position {
        Some(position) => format!("sha256 {hash} run {} number {}", position.run, position.seq),
        None => format!("sha256 {hash}"),
    }
}

/// Counts by their names: that of the ledger, and that of now.
pub fn differs(entry: &LedgerEntry, pairs: &[(&str, u32, u64)]) -> Option<Difference> {
    let differing: Vec<_> = pairs
        .iter()
        .filter(|(_, ledger, now)| u64::from(*ledger) != *now)
        .map(|(name, ledger, now)| format!("{name} {ledger}, found {now}"))
        .collect();
    (!differing.is_empty()).then(|| {
        Difference::of_object(
            DifferenceKind::LedgerDiffers,
            &entry.key,
            Some(differing.join("; ")),
        )
    })
}
