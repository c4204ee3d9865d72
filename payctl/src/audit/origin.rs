//! Rows that name a line which this run does not look at by itself: held against that line.
//!
//! Those are rows that stand for a line of the range and name an object outside it, and rows of a corrected object
//! that their lines, as they are now, do not bear out. Without this, a row that someone inserted under a payment's id would pass in every run that
//! leaves out the object which it pretends to come from.

use std::collections::{BTreeMap, HashMap};

use lambda_ingest::objects::ObjectError;
use payment_core::record::Line;
use payment_core::{LogRecord, ObjectKey, ObjectVersion};
use payment_store::audit::{LedgerEntry, Row, Stored};
use payment_store::{Part, Parts as _, Store};
use time::Duration;

use super::difference::{Difference, DifferenceKind, Unreadable};
use crate::journal::Journal;

/// Longest common time from a batch's key to its entry in the ledger.
const PROMPT: Duration = Duration::minutes(15);

/// Rows by the columns that name their payments.
type Named<'a> = HashMap<(&'a str, &'a str), &'a Row<'a>>;

/// Reads each object that the rows name once; what differs.
pub async fn hold<'a>(
    log: &Journal,
    store: &Store,
    rows: impl Iterator<Item = &'a Row<'a>>,
) -> Result<Vec<Difference>, Unreadable> {
    let mut by_key: BTreeMap<&str, Named<'a>> = BTreeMap::new();
    for row in rows {
        let of_key = by_key.entry(row.object_key).or_default();
        of_key.insert((row.payment_id, row.client), row);
    }
    let mut differences = Vec::new();
    for (key, rows) in by_key {
        let held = match ObjectKey::parse(key) {
            Some(key) => of_object(log, store, &key, &rows).await?,
            None => HashMap::new(),
        };
        for (payment, row) in rows {
            match held.get(&payment) {
                Some(Some((kind, why))) => differences.push(named(*kind, row).with(why)),
                Some(None) => {}
                None => differences.push(named(DifferenceKind::RowWithoutRecord, row)),
            }
        }
    }
    Ok(differences)
}

/// What is wrong about a row: a difference, or what nothing but the ledger vouches for.
pub type Fault = Option<(DifferenceKind, String)>;

/// Judges by the columns that differ from a line. Where the ledger says that the object was stored again since, with other
/// content, times may be those of another day, and are unproven then.
pub fn fault(
    kind: DifferenceKind,
    stored: Stored,
    differing: impl Fn(Stored) -> Vec<&'static str>,
) -> Fault {
    let columns = differing(stored);
    if !columns.is_empty() {
        return Some((kind, columns.join(", ")));
    }
    let is_again = stored.is_rewritten || stored.is_replaced;
    if !is_again || stored.is_restored {
        return None;
    }
    let columns = differing(Stored {
        is_rewritten: false,
        is_replaced: false,
        ..stored
    });
    let why = || format!("{}: its object was stored again since", columns.join(", "));
    (!columns.is_empty()).then(|| (DifferenceKind::Unproven, why()))
}

/// The faults of those rows that the object holds a line of, by their payments.
async fn of_object<'a>(
    log: &Journal,
    store: &Store,
    key: &ObjectKey,
    rows: &Named<'a>,
) -> Result<HashMap<(&'a str, &'a str), Fault>, Unreadable> {
    let mut parts = match log.parts(key).await {
        Ok(parts) => parts,
        Err(ObjectError::Gone) => return Ok(HashMap::new()),
        Err(error) => return Err(error.into()),
    };
    let version = parts.version().clone();
    let is_ingested = store.ledger_entry(&version).await?.is_some();
    let entries = store.ledger_entries(key).await?;
    let stored = stored(&entries, &version);
    let mut held = HashMap::new();
    loop {
        match parts.next().await? {
            Part::Lines(lines) => hold_lines(&lines, rows, stored, &mut held),
            Part::End => break,
            Part::Refused(_) => return Ok(HashMap::new()),
        }
    }
    if !is_ingested {
        let why = "what its object holds now is not ingested";
        for fault in held.values_mut() {
            fault.get_or_insert_with(|| (DifferenceKind::Unproven, why.to_owned()));
        }
    }
    Ok(held)
}

fn hold_lines<'a>(
    lines: &[Line],
    rows: &Named<'a>,
    stored: Stored,
    held: &mut HashMap<(&'a str, &'a str), Fault>,
) {
    for (line, record) in lines {
        let Ok(record) = record else { continue };
        let payment = record.payment.key();
        let Some(row) = rows.get(&(payment.id.as_str(), payment.client.as_str())) else {
            continue;
        };
        let payment = (row.payment_id, row.client);
        let is_moved = row.object_line != *line;
        if is_moved && !stored.is_replaced {
            continue;
        }
        let moved = is_moved.then(|| format!("its payment is in line {line} now"));
        let fault = of_line(row, record, stored)
            .or_else(|| moved.map(|why| (DifferenceKind::Unproven, why)));
        // Of lines that repeat each other, one has to be the row's.
        if held
            .get(&payment)
            .is_none_or(|known| rank(fault.as_ref()) < rank(known.as_ref()))
        {
            held.insert(payment, fault);
        }
    }
}

/// What is wrong about a row that names this line, or named it before the object was replaced.
pub fn of_line(row: &Row<'_>, record: &LogRecord, stored: Stored) -> Fault {
    if is_of_another_version(row, record, stored) {
        return Some((DifferenceKind::Unproven, CORRECTED.to_owned()));
    }
    by_columns(row, record, stored)
}

/// What is wrong about a row of this line.
pub fn by_columns(row: &Row<'_>, record: &LogRecord, stored: Stored) -> Fault {
    let differing = |stored| row.differing_from_line(record, stored);
    fault(DifferenceKind::RowDiffers, stored, differing)
}

/// Why a row whose line says something else is unproven.
pub const CORRECTED: &str = "its line was another before the object was replaced";

/// Whether the row may be what its line was in another version of the object: with content of its own, and whole. What
/// this system wrote is never another.
pub fn is_of_another_version(row: &Row<'_>, record: &LogRecord, stored: Stored) -> bool {
    stored.is_replaced && row.content_hash != Some(record.content_hash) && row.matches_own_hash()
}

/// When the version was stored, and whether these entries of its object say that it was stored again since.
pub fn stored(entries: &[LedgerEntry], version: &ObjectVersion) -> Stored {
    let at = version.stored_at;
    let hash = |entry: &LedgerEntry| entry.fingerprint.as_ref()?.sha256;
    let now = entries.iter().find(|entry| entry.is_of(version));
    let now = now.and_then(hash);
    let mut earlier = entries
        .iter()
        .filter(|entry| entry.ingested_at < at)
        .peekable();
    let is_same = |entry: &LedgerEntry| hash(entry) == now && is_prompt(entry);
    Stored {
        at,
        is_rewritten: earlier.peek().is_some(),
        is_replaced: entries.iter().any(|entry| !entry.is_of(version)),
        is_restored: now.is_some() && earlier.any(is_same),
        ingested_at: None,
    }
}

/// Whether the batch was ingested soon after the time in its key: whoever stores it again and makes up the times of its
/// rows has no more than that to choose from.
fn is_prompt(entry: &LedgerEntry) -> bool {
    entry.key.batch_time().is_some_and(|made| {
        let soon = made.to_utc().saturating_add(PROMPT);
        made <= entry.ingested_at && entry.ingested_at.to_utc() <= soon
    })
}

fn rank(fault: Option<&(DifferenceKind, String)>) -> usize {
    match fault {
        None => 0,
        Some((DifferenceKind::Unproven, _)) => 1,
        Some((_, columns)) => 2 + columns.len(),
    }
}

fn named(kind: DifferenceKind, row: &Row<'_>) -> Difference {
    let payment = Some(row.into());
    Difference::of_line(kind, payment, row.object_key, row.object_line)
}
