//! The rules, one function each, over everything known about one id.

use crate::history::{Answer, Attempt};
use crate::judge::{Id, Name, Recorded, Sent};
use crate::verdict::{Breach, BreachKind, Verdict};

/// What is answered to a caller whose credential is not valid.
const UNKNOWN: Answer = Answer::Refused { status: 401 };

/// P10: a caller without a valid credential is told so, or nothing.
pub(crate) fn is_kept_out(attempt: &Attempt, verdict: &mut Verdict) {
    let is_open = matches!(attempt.answer, Answer::Failed { .. } | Answer::NoAnswer);
    if !is_open && attempt.answer != UNKNOWN {
        let mut broken = Broken {
            name: format!("{} of nobody", attempt.id),
            verdict,
        };
        let detail = "a caller without a valid credential was not answered 401";
        broken.add(BreachKind::LetIn, detail);
    }
}

/// P10: a valid credential is always known.
pub(crate) fn is_let_in(name: &Name, attempt: &Attempt, verdict: &mut Verdict) {
    if attempt.answer == UNKNOWN {
        let mut broken = Broken::of(name, verdict);
        let detail = "a caller with a valid credential was answered 401";
        broken.add(BreachKind::KeptOut, detail);
    }
}

pub(crate) fn judge(name: &Name, known: &Id, verdict: &mut Verdict) {
    let mut broken = Broken::of(name, verdict);
    one_row(known, &mut broken);
    if known.sent.is_empty() {
        never_sent(known, &mut broken);
        return;
    }
    every_accepted_payment_is_recorded(known, &mut broken);
    each_conflict_has_two_contents(known, &mut broken);
    as_it_was_sent(known, &mut broken);
    no_is_no(known, &mut broken);
    if let Some(slowest) = delay(known) {
        verdict.slowest_ms = verdict.slowest_ms.max(Some(slowest));
    }
}

struct Broken<'v> {
    name: String,
    verdict: &'v mut Verdict,
}

impl<'v> Broken<'v> {
    fn of(name: &Name, verdict: &'v mut Verdict) -> Self {
        Self {
            name: name.to_string(),
            verdict,
        }
    }

    fn add(&mut self, kind: BreachKind, detail: impl Into<String>) {
        self.verdict.broken.push(Breach {
            kind,
            id: self.name.clone(),
            detail: detail.into(),
        });
    }
}

/// P2: an id has at most one row.
fn one_row(known: &Id, broken: &mut Broken<'_>) {
    if known.rows.len() > 1 {
        broken.add(
            BreachKind::Doubled,
            format!("the id has {} rows", known.rows.len()),
        );
    }
}

fn never_sent(known: &Id, broken: &mut Broken<'_>) {
    if !known.rows.is_empty() {
        broken.add(BreachKind::WithoutRequest, "a row whose id nobody sent");
    }
    if !known.conflicts.is_empty() {
        broken.add(
            BreachKind::WithoutRequest,
            "a conflict whose id nobody sent",
        );
    }
}

/// P1 and P4: accepted content is the row, or a conflict in addition to the row.
fn every_accepted_payment_is_recorded(known: &Id, broken: &mut Broken<'_>) {
    let accepted = known.sent.iter().filter(|sent| sent.accepted);
    if known.rows.is_empty() {
        if accepted.count() > 0 {
            broken.add(BreachKind::Lost, "it was accepted but has no row");
        }
        return;
    }
    for sent in accepted {
        let mut recorded = known.rows.iter().chain(&known.conflicts);
        if recorded.any(|recorded| recorded.content == sent.content) {
            continue;
        }
        let row = known.rows.first().map(|row| &row.content);
        let differing = row.map(|row| row.differing(&sent.content).join(", "));
        broken.add(
            BreachKind::ConflictMissing,
            format!(
                "accepted content is neither the row nor a conflict; the row differs in {}",
                differing.unwrap_or_default()
            ),
        );
    }
}

/// P4 and P10: an id is only taken by other content of the same client.
fn each_conflict_has_two_contents(known: &Id, broken: &mut Broken<'_>) {
    if let [only] = known.sent.as_slice()
        && only.conflict
    {
        let detail = "409 was answered, and its client sent nothing else under the id";
        broken.add(BreachKind::ConflictWithNothing, detail);
    }
}

/// P3: what is recorded is what somebody sent.
fn as_it_was_sent(known: &Id, broken: &mut Broken<'_>) {
    for (table, recorded) in tables(known) {
        if sent_as(known, recorded).is_none() {
            let nearest = known
                .sent
                .iter()
                .map(|sent| sent.content.differing(&recorded.content))
                .min_by_key(Vec::len)
                .unwrap_or_default();
            broken.add(
                BreachKind::Altered,
                format!(
                    "the {table} differs from everything that was sent, at least in {}",
                    nearest.join(", ")
                ),
            );
        }
    }
}

/// P6: what was only ever answered with 4xx is not recorded. A 409 may leave a conflict behind, but no row.
fn no_is_no(known: &Id, broken: &mut Broken<'_>) {
    for (table, recorded) in tables(known) {
        let Some(sent) = sent_as(known, recorded) else {
            continue;
        };
        if sent.accepted || sent.open || (sent.conflict && table == CONFLICT) {
            continue;
        }
        let answer = if sent.conflict { "409" } else { "4xx" };
        broken.add(
            BreachKind::RefusedButRecorded,
            format!("a content that was only answered {answer} is a {table}"),
        );
    }
}

/// Returns the time from the first 2xx answer to the row.
fn delay(known: &Id) -> Option<u64> {
    let row = known.rows.first()?;
    let accepted = sent_as(known, row)?.first_accepted_ms?;
    Some(row.recorded_ms?.saturating_sub(accepted))
}

const ROW: &str = "row";
const CONFLICT: &str = "conflict";

fn tables(known: &Id) -> impl Iterator<Item = (&'static str, &Recorded)> {
    let rows = known.rows.iter().map(|row| (ROW, row));
    rows.chain(known.conflicts.iter().map(|row| (CONFLICT, row)))
}

fn sent_as<'k>(known: &'k Id, recorded: &Recorded) -> Option<&'k Sent> {
    known
        .sent
        .iter()
        .find(|sent| sent.content == recorded.content)
}

#[cfg(test)]
mod tests;
