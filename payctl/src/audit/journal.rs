//! Every object of the range, and every entry of the ledger: by the ledger, then line by line.

use std::sync::Arc;

use indicatif::ProgressBar;
use lambda_ingest::objects::ObjectError;
use payment_core::ObjectKey;
use payment_store::Store;
use payment_store::audit::{KeySpan, LedgerEntry, Stored};
use program::chain;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::check::{check, replaced};
use super::counts::Counts;
use super::difference::{Difference, Findings, Kind, Unread};
use super::{Audit, AuditError, BYTES_MAX, Report, Scope};
use crate::log::{Listed, Log};
use crate::progress;
use crate::walk::{Step, Walk};

/// After so many objects that could not be looked at, one after the other, the rest would fare no better.
const UNREAD_MAX: u32 = 64;

/// Why an object could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("the database can't be asked")]
    Store(#[from] payment_store::Error),
}

/// Goes through all of it; whether it came to the end.
pub async fn audit(audit: &Audit, report: &mut Report) -> Result<bool, AuditError> {
    let bar = bar(audit).await?;
    let memory = Arc::new(Semaphore::new(
        usize::try_from(BYTES_MAX).unwrap_or(usize::MAX),
    ));
    let scope = &audit.scope;
    let mut segments = scope.range.segments(&scope.prefix);
    segments.extend(scope.range.strays(&scope.prefix));
    let mut walk = Walk::new(&audit.log, &audit.store, segments);
    let mut tasks = JoinSet::new();
    let mut unread_in_a_row = 0;
    let mut take = |findings: Findings, report: &mut Report| {
        unread_in_a_row = match findings.unread.len() {
            0 => 0,
            _ => unread_in_a_row + 1,
        };
        bar.inc(findings.counts.lines);
        report.add(findings).map(|()| unread_in_a_row < UNREAD_MAX)
    };
    let mut is_whole = true;
    loop {
        let step = match walk.next().await {
            Ok(Some(step)) => step,
            Ok(None) => break,
            Err(error) => {
                report.gap(format!("the rest of the objects: {}", chain(&error)));
                is_whole = false;
                break;
            }
        };
        while tasks.len() >= audit.jobs
            && let Some(done) = tasks.join_next().await
        {
            is_whole &= take(done?, report)?;
        }
        if !is_whole {
            report.gap("the rest of the objects: too many could not be looked at");
            break;
        }
        let bytes = step.listed.as_ref().map_or(0, |listed| listed.bytes);
        let bytes = u32::try_from(bytes).unwrap_or(BYTES_MAX).min(BYTES_MAX);
        // Never closed.
        let Ok(permit) = Arc::clone(&memory).acquire_many_owned(bytes).await else {
            break;
        };
        let (log, store) = (Arc::clone(&audit.log), audit.store.clone());
        let scope = Arc::clone(scope);
        tasks.spawn(async move {
            let findings = judge(&log, &store, &scope, step).await;
            drop(permit);
            findings
        });
    }
    while let Some(done) = tasks.join_next().await {
        take(done?, report)?;
    }
    bar.finish_and_clear();
    strays(audit, report).await?;
    Ok(is_whole)
}

/// As long as the ledger has lines.
async fn bar(audit: &Audit) -> Result<ProgressBar, AuditError> {
    let lines = if progress::is_shown() {
        let span = KeySpan {
            after: String::new(),
            before: None,
        };
        audit.store.ledger_lines(&span).await?
    } else {
        0
    };
    Ok(progress::bar("lines", lines))
}

/// Entries of the ledger that can name no object.
async fn strays(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    match audit.store.ledger_strays().await {
        Ok(keys) => {
            let gone = |key: String| Difference {
                kind: Kind::ObjectGone,
                payment_id: None,
                object: key,
                line: None,
                detail: Some("no object can have this key".to_owned()),
            };
            report.add(Findings {
                differences: keys.into_iter().map(gone).collect(),
                ..Findings::default()
            })?;
        }
        Err(error) => report.gap(format!("the ledger: {}", chain(&error))),
    }
    Ok(())
}

async fn judge(log: &Log, store: &Store, scope: &Scope, step: Step) -> Findings {
    let key = match (&step.listed, step.entries.first()) {
        (Some(listed), _) => listed.version.key.clone(),
        (None, Some(entry)) => entry.key.clone(),
        (None, None) => return Findings::default(),
    };
    look(log, store, scope, step, &key)
        .await
        .unwrap_or_else(|error| Findings {
            counts: Counts {
                objects: 1,
                unread: 1,
                ..Counts::default()
            },
            unread: vec![Unread {
                object: key.to_string(),
                why: chain(&error),
            }],
            ..Findings::default()
        })
}

async fn look(
    log: &Log,
    store: &Store,
    scope: &Scope,
    step: Step,
    key: &ObjectKey,
) -> Result<Findings, Unreadable> {
    if step.is_outside {
        return Ok(outside());
    }
    // The entry is that of a longer key, with which it is looked at.
    if step.listed.is_none() && key.is_shortened() {
        return Ok(Findings::default());
    }
    if step.listed.is_some() {
        scope.note_by_time(key.as_str());
    }
    let (listed, mut entries) = (step.listed, step.entries);
    // The page of the ledger may be older than that of the listing.
    if let Some(listed) = &listed
        && !entries.iter().any(|entry| entry.is_of(&listed.version))
    {
        entries = store.ledger_entries(key).await?;
        if !entries.iter().any(|entry| entry.is_of(&listed.version)) {
            return not_ingested(store, scope, listed, &entries).await;
        }
    }
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(gone(key, listed.as_ref(), &entries)),
        Err(error) => return Err(error.into()),
    };
    if listed.is_none() {
        let stored_at = object.version.stored_at;
        if step.times.is_some_and(|range| !range.contains(stored_at)) {
            return Ok(outside());
        }
        scope.note_by_time(key.as_str());
    }
    let Some(own) = entries
        .iter()
        .position(|entry| entry.is_of(&object.version))
    else {
        let listed = Listed {
            bytes: u64::try_from(object.body.len()).unwrap_or(u64::MAX),
            version: object.version,
        };
        return not_ingested(store, scope, &listed, &entries).await;
    };
    let stored_at = object.version.stored_at;
    let stored = Stored {
        at: stored_at,
        is_rewritten: entries.iter().any(|entry| entry.ingested_at < stored_at),
    };
    let own = entries.swap_remove(own);
    let mut findings = check(store, scope, &own, &object, stored).await?;
    replaced(store, scope, &entries, &mut findings).await?;
    Ok(findings)
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

fn gone(key: &ObjectKey, listed: Option<&Listed>, entries: &[LedgerEntry]) -> Findings {
    let detail = match (entries.first(), listed) {
        (Some(entry), _) => format!(
            "ingested at {} with {} lines",
            entry.ingested_at, entry.lines
        ),
        (None, Some(listed)) => format!(
            "stored at {}, and deleted since it was listed",
            listed.version.stored_at
        ),
        (None, None) => String::new(),
    };
    Findings {
        differences: vec![Difference::of_object(Kind::ObjectGone, key, Some(detail))],
        ..Findings::default()
    }
}

/// An object that the ledger does not know in this version.
async fn not_ingested(
    store: &Store,
    scope: &Scope,
    listed: &Listed,
    others: &[LedgerEntry],
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
        ..Findings::default()
    };
    if !is_on_its_way {
        let detail = format!("stored at {}, {bytes} bytes", version.stored_at);
        findings.differences.push(Difference::of_object(
            Kind::ObjectNotIngested,
            &version.key,
            Some(detail),
        ));
    }
    replaced(store, scope, others, &mut findings).await?;
    Ok(findings)
}
