//! Every object of the range: by the ledger, then line by line.

use std::sync::Arc;

use indicatif::ProgressBar;
use payment_store::Store;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::check::check;
use super::difference::{Counts, Difference, Findings, Kind};
use super::{Audit, AuditError, BYTES_MAX, Report, Scope};
use crate::log::{Listed, Log};
use crate::progress;
use crate::walk::{Step, Walk};

pub async fn audit(audit: &Audit, report: &mut Report) -> Result<(), AuditError> {
    let bar = bar(audit).await?;
    let memory = Arc::new(Semaphore::new(
        usize::try_from(BYTES_MAX).unwrap_or(usize::MAX),
    ));
    let mut walk = Walk::new(&audit.log, &audit.store, &audit.range);
    let mut tasks = JoinSet::new();
    while let Some(step) = walk.next().await? {
        while tasks.len() >= audit.jobs
            && let Some(done) = tasks.join_next().await
        {
            take(done??, report, &bar)?;
        }
        let bytes = match &step {
            Step::Both(listed, _) => u32::try_from(listed.bytes)
                .unwrap_or(BYTES_MAX)
                .min(BYTES_MAX),
            Step::LogOnly(_) | Step::LedgerOnly(_) | Step::Replaced(_) => 0,
        };
        // Never closed.
        let Ok(permit) = Arc::clone(&memory).acquire_many_owned(bytes).await else {
            break;
        };
        let (log, store) = (Arc::clone(&audit.log), audit.store.clone());
        let scope = Arc::clone(&audit.scope);
        tasks.spawn(async move {
            let findings = judge(&log, &store, &scope, step).await;
            drop(permit);
            findings
        });
    }
    while let Some(done) = tasks.join_next().await {
        take(done??, report, &bar)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// As long as the ledger has lines.
async fn bar(audit: &Audit) -> Result<ProgressBar, AuditError> {
    let lines = if progress::is_shown() {
        audit.store.ledger_lines(&audit.scope.span).await?
    } else {
        0
    };
    Ok(progress::bar("lines", lines))
}

fn take(findings: Findings, report: &mut Report, bar: &ProgressBar) -> Result<(), AuditError> {
    bar.inc(findings.counts.lines);
    Ok(report.add(findings)?)
}

async fn judge(
    log: &Log,
    store: &Store,
    scope: &Scope,
    step: Step,
) -> Result<Findings, AuditError> {
    match step {
        Step::Both(_, entry) => check(log, store, scope, &entry).await,
        // The page of the ledger may be older than that of the listing.
        Step::LogOnly(listed) => match store.ledger_entry(&listed.version).await? {
            Some(entry) => check(log, store, scope, &entry).await,
            None => Ok(not_ingested(scope, &listed)),
        },
        // Reading it finds it gone, or there after all.
        Step::LedgerOnly(entry) => check(log, store, scope, &entry).await,
        Step::Replaced(_) => Ok(Findings {
            counts: Counts {
                replaced: 1,
                ..Counts::default()
            },
            ..Findings::default()
        }),
    }
}

fn not_ingested(scope: &Scope, listed: &Listed) -> Findings {
    let Listed { version, bytes } = listed;
    let is_on_its_way = version.stored_at > scope.stored_by;
    let counts = Counts {
        objects: 1,
        on_their_way: u64::from(is_on_its_way),
        ..Counts::default()
    };
    let detail = format!("stored at {}, {bytes} bytes", version.stored_at);
    let difference = Difference::of_object(Kind::ObjectNotIngested, &version.key, Some(detail));
    Findings {
        counts,
        differences: if is_on_its_way {
            Vec::new()
        } else {
            vec![difference]
        },
    }
}
