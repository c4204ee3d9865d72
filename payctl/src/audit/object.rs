//! One object: by the ledger, then line by line.

use lambda_ingest::objects::{Object, ObjectError};
use payment_core::ObjectKey;
use payment_core::chain::checker::Sighting;
use payment_core::object::OBJECT_BYTES_MAX;
use payment_store::Store;
use payment_store::audit::{LedgerEntry, Stored};
use program::chain;

use super::check::check;
use super::counts::Counts;
use super::difference::{Difference, DifferenceKind, Findings, Unread, Unreadable};
use super::ledger;
use super::origin::stored;
use super::replaced::replaced;
use super::scope::Scope;
use crate::journal::{Journal, Listed};
use crate::journal_scan::Step;
use crate::proof::chain::{Inside, Sight};

/// Looks at the object of a step, or says that it can't.
pub async fn judge(log: &Journal, store: &Store, scope: &Scope, step: Step) -> Findings {
    let key = step.key.clone();
    let is_ahead = step.listed.is_some() && scope.is_ahead(&key);
    let left_out = step.left_out;
    let mut findings = look(log, store, scope, step)
        .await
        .unwrap_or_else(|error| unread(&key, &chain(&error)));
    if is_ahead {
        let ahead = Difference::of_object(DifferenceKind::HourAhead, &key, None);
        findings.differences.push(ahead);
    }
    if left_out > 0 {
        findings.counts.unread += 1;
        findings.unread.push(Unread {
            object: key.to_string(),
            why: format!(
                "{left_out} more of its versions are in the ledger, and were not looked at"
            ),
        });
    }
    findings
}

pub fn unread(key: &ObjectKey, why: &str) -> Findings {
    Findings {
        counts: Counts {
            objects: 1,
            unread: 1,
            ..Counts::default()
        },
        unread: vec![Unread {
            object: key.to_string(),
            why: why.to_owned(),
        }],
        sight: Some(Box::new(Sight::unread(key))),
        ..Findings::default()
    }
}

async fn look(
    log: &Journal,
    store: &Store,
    scope: &Scope,
    step: Step,
) -> Result<Findings, Unreadable> {
    if step.is_outside {
        return Ok(at_the_border(log, scope, &step.key).await);
    }
    if step.listed.is_some() {
        scope.note_by_time(&step.key);
    }
    let Step {
        key,
        listed,
        mut entries,
        ..
    } = step;
    let key = &key;
    // The page of the ledger may be older than that of the listing.
    if let Some(listed) = &listed
        && !entries.iter().any(|entry| entry.is_of(&listed.version))
    {
        let Some(entry) = store.ledger_entry(&listed.version).await? else {
            let sight = sight(log, scope, key, true).await;
            return not_ingested(store, scope, listed, &entries, sight).await;
        };
        entries.push(entry);
    }
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(gone(key, listed.as_ref(), &entries)),
        Err(error) => return Err(error.into()),
    };
    if let Some(listed) = &listed {
        expect_whole(listed, &object)?;
    }
    if !key.as_str().starts_with(&scope.prefix) {
        return Ok(elsewhere());
    }
    if listed.is_none() {
        let stored_at = object.version.stored_at;
        if !scope.range.holds(&scope.prefix, key.as_str(), stored_at) {
            return Ok(outside());
        }
        scope.note_by_time(key);
    }
    against_tables(log, store, scope, object, entries).await
}

/// An object of the journal, as S3 has it now.
async fn against_tables(
    log: &Journal,
    store: &Store,
    scope: &Scope,
    object: Object,
    mut entries: Vec<LedgerEntry>,
) -> Result<Findings, Unreadable> {
    // The entries may be older than the object.
    let version = &object.version;
    if !entries.iter().any(|entry| entry.is_of(version)) {
        entries.extend(store.ledger_entry(version).await?);
    }
    let stored = stored(&entries, version);
    let (own, others): (Vec<_>, Vec<_>) = entries
        .into_iter()
        .partition(|entry| entry.is_of(&object.version));
    let is_chained = scope.chain.is_some();
    let sighting = is_chained.then(|| Sighting::of(&object.version.key, &object.body));
    let Some(entry) = own.first() else {
        let inside = Inside::without_rows(object.version.stored_at);
        let sight = sighting.map(|sighting| Sight {
            sighting,
            inside: Some(inside),
        });
        let listed = Listed {
            bytes: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
            version: object.version,
        };
        return not_ingested(store, scope, &listed, &others, sight).await;
    };
    let stored = Stored {
        ingested_at: Some(entry.ingested_at),
        ..stored
    };
    let by_chain = sighting.as_ref();
    let by_chain = by_chain.and_then(|sighting| ledger::differs_from_body(entry, sighting));
    let mut findings = check(log, store, scope, entry, &object, stored, sighting).await?;
    findings.differences.extend(by_chain);
    if own.len() > 1 {
        let detail = format!("{} entries stand for this version", own.len());
        findings.differences.push(Difference::of_object(
            DifferenceKind::LedgerDiffers,
            &object.version.key,
            Some(detail),
        ));
    }
    replaced(store, scope, &others, Some(&object), &mut findings).await?;
    Ok(findings)
}

/// The SDK knows the length that an answer says, and of an object without a checksum no more.
fn expect_whole(listed: &Listed, object: &Object) -> Result<(), ObjectError> {
    let bytes = u64::try_from(object.body.len()).unwrap_or(u64::MAX);
    let is_cut = bytes < listed.bytes && object.body.len() <= OBJECT_BYTES_MAX;
    if is_cut && listed.version.etag == object.version.etag {
        let all = listed.bytes;
        return Err(ObjectError::Failed(format!("{bytes} of {all} bytes came")));
    }
    Ok(())
}

fn elsewhere() -> Findings {
    Findings {
        counts: Counts {
            objects_elsewhere: 1,
            ..Counts::default()
        },
        ..Findings::default()
    }
}

fn outside() -> Findings {
    Findings {
        counts: Counts {
            objects_outside: 1,
            ..Counts::default()
        },
        ..Findings::default()
    }
}

/// An object outside the range, which is read for what its header says of those inside.
async fn at_the_border(log: &Journal, scope: &Scope, key: &ObjectKey) -> Findings {
    let sight = if scope.is_at_its_border(key) {
        sight(log, scope, key, false).await
    } else {
        None
    };
    Findings {
        sight: sight.map(Box::new),
        ..outside()
    }
}

/// An object for the chain alone.
async fn sight(log: &Journal, scope: &Scope, key: &ObjectKey, is_inside: bool) -> Option<Sight> {
    scope.chain?;
    match log.get(key).await {
        Ok(object) => Some(Sight {
            sighting: Sighting::of(key, &object.body),
            inside: is_inside.then(|| Inside::without_rows(object.version.stored_at)),
        }),
        Err(ObjectError::Gone) => None,
        Err(_) => Some(Sight::unread(key)),
    }
}

fn gone(key: &ObjectKey, listed: Option<&Listed>, entries: &[LedgerEntry]) -> Findings {
    let deleted = |listed: &Listed| {
        let stored_at = listed.version.stored_at;
        let detail = format!("stored at {stored_at}, and deleted since it was listed");
        Difference::of_object(DifferenceKind::ObjectGone, key, Some(detail))
    };
    let by_ledger = entries.first().map(gone_by_ledger);
    let difference = by_ledger.or_else(|| listed.map(deleted));
    Findings {
        differences: difference.into_iter().collect(),
        ..Findings::default()
    }
}

pub fn gone_by_ledger(entry: &LedgerEntry) -> Difference {
    let (at, lines) = (entry.ingested_at, entry.lines);
    let detail = format!("ingested at {at} with {lines} lines");
    Difference::of_object(DifferenceKind::ObjectGone, &entry.key, Some(detail))
}

/// An object that the ledger does not know in this version.
async fn not_ingested(
    store: &Store,
    scope: &Scope,
    listed: &Listed,
    others: &[LedgerEntry],
    sight: Option<Sight>,
) -> Result<Findings, Unreadable> {
    let Listed { version, bytes } = listed;
    let is_on_its_way = version.stored_at > scope.stored_by;
    let counts = Counts {
        objects: 1,
        on_their_way: u64::from(is_on_its_way),
        ..Counts::default()
    };
    let mut findings = Findings {
        counts,
        sight: sight.map(Box::new),
        ..Findings::default()
    };
    if !is_on_its_way {
        let detail = format!("stored at {}, {bytes} bytes", version.stored_at);
        findings.differences.push(Difference::of_object(
            DifferenceKind::ObjectNotIngested,
            &version.key,
            Some(detail),
        ));
    }
    replaced(store, scope, others, None, &mut findings).await?;
    Ok(findings)
}
