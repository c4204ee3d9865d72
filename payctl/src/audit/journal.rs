//! Every object of the range, and every entry of the ledger, several at a time.

use std::io;
use std::sync::Arc;

use indicatif::ProgressBar;
use payment_core::ObjectKey;
use payment_store::audit::{KeySpan, LedgerEntry};
use program::chain;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use super::difference::{Difference, DifferenceKind, Findings};
use super::object::{gone_by_ledger, judge, unread};
use super::report::Report;
use super::scope::Scope;
use super::setup::Audit;
use crate::journal_scan::{JournalScan, Step};
use crate::progress;
use crate::proof::chain::Proof;
use crate::range::Range;

/// Bytes of objects in work at one time; a larger one is read alone. Parsed lines may take twenty times as much.
const BYTES_MAX: u32 = 8 * 1024 * 1024;

/// Entries for objects whose keys are too long, which are kept until all objects were listed.
const SHORTENED_MAX: usize = 10_000;

/// Objects that were read before one that is still being read.
const AHEAD_MAX: usize = 1000;

/// After so many objects that could not be looked at, one after the other, the rest are counted and not tried.
const UNREAD_MAX: u32 = 64;

/// Objects at work, and how it goes.
struct Work<'a> {
    audit: &'a Audit,
    report: &'a mut Report,
    bar: ProgressBar,
    tasks: JoinSet<(ObjectKey, Findings)>,
    proof: Option<&'a mut Proof>,
    unread_in_a_row: u32,
}

/// Goes through all of it; whether it came to the end, and looked at objects as long as that.
pub async fn audit(
    audit: &Audit,
    report: &mut Report,
    proof: Option<&mut Proof>,
) -> io::Result<bool> {
    let bar = progress::bar("lines", length(audit).await);
    let memory = Arc::new(Semaphore::new(
        usize::try_from(BYTES_MAX).unwrap_or(usize::MAX),
    ));
    let scope = &audit.scope;
    let mut segments = vec![Range::whole(&scope.prefix)];
    segments.extend(Range::strays(&scope.prefix));
    let mut walk = JournalScan::new(&audit.log, &audit.store, scope.range, segments);
    let mut work = Work {
        audit,
        report,
        bar,
        tasks: JoinSet::new(),
        proof,
        unread_in_a_row: 0,
    };
    let mut shortened = Vec::new();
    let mut last = None;
    let mut is_at_end = true;
    loop {
        let step = match walk.next().await {
            Ok(Some(step)) => step,
            Ok(None) => break,
            Err(error) => {
                let from = last.map_or_else(
                    || "all objects".to_owned(),
                    |key| format!("the objects after {key}"),
                );
                work.report.gap(format!("{from}: {}", chain(&error)));
                is_at_end = false;
                break;
            }
        };
        work.make_room().await?;
        let key = step.key.clone();
        if step.listed.is_some() {
            scope.note_listed(&key);
        } else if key.is_shortened() {
            shortened.extend(step.entries);
            if shortened.len() > SHORTENED_MAX {
                let all = "entries of the ledger for keys that are too long: there are too many";
                work.report.gap(all);
                is_at_end = false;
                break;
            }
            continue;
        }
        if let Some(proof) = &mut work.proof {
            for what in proof.begin(&audit.log, &step).await {
                work.report.gap(what);
            }
        }
        if work.is_hopeless() && !step.is_outside {
            let why = "not tried, like all after so many that could not be looked at";
            work.take(&key, unread(&key, why)).await?;
        } else {
            let bytes = step.listed.as_ref().map_or(0, |listed| listed.bytes);
            let bytes = u32::try_from(bytes).unwrap_or(BYTES_MAX).min(BYTES_MAX);
            // Never closed.
            let permit = Arc::clone(&memory).acquire_many_owned(bytes).await;
            work.start(step, permit.ok());
        }
        last = Some(key);
    }
    while work.take_one().await? {}
    if let Some(proof) = &mut work.proof {
        for what in proof.close(&audit.log, &audit.store).await {
            work.report.gap(what);
        }
    }
    work.bar.finish_and_clear();
    let is_whole = is_at_end && !work.is_hopeless();
    if is_at_end {
        report.add(without_object(scope, &shortened))?;
    }
    strays(audit, report).await?;
    Ok(is_whole)
}

/// Entries for objects by their shortened keys: each has to be that of an object which was listed by its longer one,
/// and was held against it there.
fn without_object(scope: &Scope, entries: &[LedgerEntry]) -> Findings {
    let mut findings = Findings::default();
    for entry in entries {
        if scope.is_shortened(entry.key.as_str()) {
            continue;
        }
        if entry.ingested_at > scope.stored_by && !entry.is_from_the_future {
            // Its object may have been stored behind the listing.
            findings.counts.on_their_way += 1;
        } else {
            findings.differences.push(gone_by_ledger(entry));
        }
    }
    findings
}

impl Work<'_> {
    fn is_hopeless(&self) -> bool {
        self.unread_in_a_row >= UNREAD_MAX
    }

    async fn make_room(&mut self) -> io::Result<()> {
        let is_far = |proof: &&mut Proof| proof.waiting() > AHEAD_MAX;
        while (self.tasks.len() >= self.audit.jobs || self.proof.as_ref().is_some_and(is_far))
            && self.take_one().await?
        {}
        Ok(())
    }

    fn start(&mut self, step: Step, permit: Option<OwnedSemaphorePermit>) {
        let (log, store) = (Arc::clone(&self.audit.log), self.audit.store.clone());
        let scope = Arc::clone(&self.audit.scope);
        self.tasks.spawn(async move {
            let key = step.key.clone();
            let findings = judge(&log, &store, &scope, step).await;
            drop(permit);
            (key, findings)
        });
    }

    /// Whether there was one.
    async fn take_one(&mut self) -> io::Result<bool> {
        match self.tasks.join_next().await {
            Some(Ok((key, findings))) => self.take(&key, findings).await?,
            Some(done) => self.report.add_done(done.map(|(_, findings)| findings))?,
            None => return Ok(false),
        }
        Ok(true)
    }

    async fn take(&mut self, key: &ObjectKey, mut findings: Findings) -> io::Result<()> {
        if let Some(proof) = &mut self.proof {
            let sight = findings.sight.take().map(|sight| *sight);
            let Audit { log, store, .. } = self.audit;
            for what in proof.end(log, store, key, sight).await {
                self.report.gap(what);
            }
            let held = proof.faults(log).await;
            self.report.add(held)?;
        }
        // Hope once lost is not regained by an object that was at work meanwhile: others were not tried.
        if !self.is_hopeless() {
            self.unread_in_a_row = match findings.unread.len() {
                0 => 0,
                _ => self.unread_in_a_row + 1,
            };
        }
        self.bar.inc(findings.counts.lines);
        self.report.add(findings)
    }
}

/// Lines of the ledger, for the bar alone.
async fn length(audit: &Audit) -> u64 {
    if !progress::is_shown() {
        return 0;
    }
    let span = KeySpan {
        after: String::new(),
        before: None,
    };
    audit.store.ledger_lines(&span).await.unwrap_or(0)
}

/// Entries of the ledger that the walk does not come by.
async fn strays(audit: &Audit, report: &mut Report) -> io::Result<()> {
    match audit.store.ledger_strays().await {
        Ok(keys) => {
            let gone = |key: String| Difference {
                kind: DifferenceKind::ObjectGone,
                payment_id: None,
                client: None,
                object: key,
                span: None,
                line: None,
                detail: Some("no object of the journal has this key".to_owned()),
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
