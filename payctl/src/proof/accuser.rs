//! What is to be said of a fault: its place in the chain, and what to do.
//!
//! An object counts as missing if another names it and the listing had none. It may have been stored behind the page of
//! the listing that it belongs to, or lie outside the range, so S3 is asked for it before anything is said.

use std::collections::BTreeSet;

use futures::{StreamExt as _, stream};
use payment_core::ObjectKey;
use payment_core::chain::ObjectHash;
use payment_core::chain::checker::{Fault, Inserted, Unvouched, What};
use program::chain;

use crate::audit::difference::{Difference, DifferenceKind, Findings, ObjectSpan, Unread};
use crate::journal::Journal;

/// Objects that are asked for at one time.
const JOBS: usize = 8;

#[derive(Debug, Default)]
pub struct Accuser {
    /// Nodes with objects that came behind the listing: what those say of others was not seen either.
    late: BTreeSet<String>,
}

/// What S3 has of an object that others name, and that was not seen.
enum Found {
    Nothing,
    /// What they name.
    Right,
    Other,
    Unread(String),
}

impl Accuser {
    pub async fn hold(&mut self, log: &Journal, faults: Vec<Fault>) -> Findings {
        let mut findings = Findings::default();
        let found = stream::iter(faults).map(async |fault| {
            let found = match &fault.what {
                What::Missing { expected, .. }
                | What::Doubtful { expected, .. }
                | What::Unseen { expected, .. } => Some(find(log, &fault.object, *expected).await),
                _ => None,
            };
            (fault, found)
        });
        let mut found = found.buffered(JOBS);
        while let Some((mut fault, found)) = found.next().await {
            let node = fault.object.own_batch().map(|(_, node)| node.to_owned());
            let node = node.unwrap_or_default();
            if fault.what.is_unknown() && self.late.contains(&node) {
                continue;
            }
            let is_there = matches!(found, Some(Found::Right | Found::Other));
            if is_there && matches!(fault.what, What::Doubtful { .. }) {
                continue;
            }
            let (by, expected, is_seen, is_confirmed) = match fault.what.clone() {
                What::Missing { by, expected } => (by, expected, true, true),
                What::Unseen {
                    by,
                    expected,
                    is_confirmed,
                } => (by, expected, false, is_confirmed),
                _ => {
                    findings.differences.push(difference(&fault));
                    continue;
                }
            };
            let Some(found) = found else { continue };
            fault.what = match found {
                Found::Nothing if is_confirmed => What::Missing { by, expected },
                Found::Other => What::Changed { by, expected },
                Found::Nothing => continue,
                Found::Right if !is_seen => continue,
                Found::Right => {
                    self.late.insert(node);
                    findings.counts.on_their_way += 1;
                    continue;
                }
                Found::Unread(why) => {
                    findings.counts.unread += 1;
                    findings.unread.push(Unread {
                        object: fault.object.to_string(),
                        why,
                    });
                    continue;
                }
            };
            findings.differences.push(difference(&fault));
        }
        findings
    }
}

async fn find(log: &Journal, object: &ObjectKey, expected: ObjectHash) -> Found {
    match log.find(object).await {
        Ok(Some(object)) if ObjectHash::of(&object.body) == expected => Found::Right,
        Ok(Some(_)) => Found::Other,
        Ok(None) => Found::Nothing,
        Err(error) => Found::Unread(chain(&error)),
    }
}

fn difference(fault: &Fault) -> Difference {
    let (kind, advice) = match &fault.what {
        What::Missing { .. } => (
            DifferenceKind::ObjectMissing,
            "restore it from a version or a copy of the bucket; if it never was there, that header is forged",
        ),
        What::Changed { .. } | What::Unseen { .. } => (
            DifferenceKind::ObjectChanged,
            "one of the two was changed or forged: hold both against the ledger and the bucket's versions",
        ),
        What::Inserted(Inserted::Hour | Inserted::Header) => (
            DifferenceKind::ObjectInserted,
            "no tier wrote it: find out by the bucket's access log who did, and void its rows",
        ),
        What::Inserted(_) => (
            DifferenceKind::ObjectInserted,
            "find out by the ledger's times and the bucket's access log which of the two no tier wrote, and void its rows",
        ),
        What::Gap { .. } => (
            DifferenceKind::NumbersMissing,
            "look for them in the ledger and among the bucket's versions",
        ),
        What::Contradiction { .. } => (
            DifferenceKind::HeadersContradict,
            "one of them is forged: compare both with the bucket's versions",
        ),
        What::Unchained => (
            DifferenceKind::Unchained,
            "a tier with LOG_RECORD_VERSION=2 wrote it, or nobody of this system; while tiers are brought up to date, pass --chain-from",
        ),
        What::Doubtful { .. } => (
            DifferenceKind::Unproven,
            "settle what is named of that header, and verify again; do not remove it before you know that it is forged",
        ),
        What::Passed { .. } => (
            DifferenceKind::Unproven,
            "if that names nothing, the node's clock was set back",
        ),
        What::Unvouched(_) => (
            DifferenceKind::Unvouched,
            "restore the objects that are named missing or changed, and verify again",
        ),
    };
    let detail = format!("{}{}; {advice}", place(fault), fault.what);
    Difference {
        span: span(fault),
        ..Difference::of_object(kind, &fault.object, Some(detail))
    }
}

fn place(fault: &Fault) -> String {
    let Some((run, seq)) = fault.run.zip(fault.seq) else {
        return String::new();
    };
    match &fault.what {
        What::Unvouched(Unvouched { first, last, .. }) if first < last => {
            format!("run {run} numbers {first} to {last}: ")
        }
        _ => format!("run {run} number {seq}: "),
    }
}

fn span(fault: &Fault) -> Option<ObjectSpan> {
    match &fault.what {
        What::Unvouched(of) => Some(ObjectSpan {
            last_object: of.last_object.to_string(),
            objects: of.objects,
        }),
        _ => None,
    }
}
