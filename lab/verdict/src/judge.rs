//! Collects the facts, in any order, and keeps for each id only what the verdict needs: a payment takes the same space
//! however often it was repeated.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use crate::content::Content;
use crate::history::{Answer, Attempt, Row};
use crate::rules;
use crate::verdict::{Breach, BreachKind, Verdict};

#[derive(Debug, Default)]
pub struct Judge {
    /// Sorted, so that the same facts give exactly the same verdict.
    ids: BTreeMap<Name, Id>,
    /// Recorded lines by object.
    lines: HashMap<String, HashSet<u32>>,
    /// The counts, and breaches that a single fact shows.
    verdict: Verdict,
}

/// A payment's name: the same id of two clients is two payments.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    id: String,
    client: String,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)?;
        if self.client.is_empty() {
            return Ok(());
        }
        write!(f, " of client {}", self.client)
    }
}

/// Everything known about one id.
#[derive(Debug, Default)]
pub(crate) struct Id {
    pub sent: Vec<Sent>,
    pub rows: Vec<Recorded>,
    pub conflicts: Vec<Recorded>,
}

/// One content, and all answers to it.
#[derive(Debug)]
pub(crate) struct Sent {
    pub content: Content,
    pub first_accepted_ms: Option<u64>,
    /// The first answer that was not marked as a repeat.
    pub receipt: Option<(String, String)>,
    pub accepted: bool,
    pub conflict: bool,
    /// Whether it got a 5xx or no answer: it may be recorded.
    pub open: bool,
}

#[derive(Debug)]
pub(crate) struct Recorded {
    pub content: Content,
    pub recorded_ms: Option<u64>,
}

impl Judge {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn attempt(&mut self, attempt: &Attempt) {
        let Some(client) = &attempt.client else {
            self.unknown_caller(attempt);
            return;
        };
        let name = Name {
            id: attempt.id.clone(),
            client: client.clone(),
        };
        rules::is_let_in(&name, attempt, &mut self.verdict);
        let id = self.ids.entry(name).or_default();
        let sent = id.sent(attempt.content.clone().normal());
        self.verdict.attempts += 1;
        match &attempt.answer {
            Answer::Accepted {
                replayed,
                received_at,
                request_id,
            } => {
                self.verdict.acknowledged += 1;
                sent.accepted = true;
                sent.first_accepted_ms = match (sent.first_accepted_ms, attempt.answered_ms) {
                    (Some(first), Some(now)) => Some(first.min(now)),
                    (first, now) => first.or(now),
                };
                if !replayed {
                    let receipt = (received_at.clone(), request_id.clone());
                    let first = sent.receipt.get_or_insert_with(|| receipt.clone());
                    self.verdict.second_yes += u64::from(*first != receipt);
                }
            }
            Answer::Conflict => {
                self.verdict.conflicts_answered += 1;
                sent.conflict = true;
            }
            Answer::Refused { .. } => self.verdict.refused += 1,
            Answer::Failed { .. } => {
                self.verdict.failed += 1;
                sent.open = true;
            }
            Answer::NoAnswer => {
                self.verdict.unanswered += 1;
                sent.open = true;
            }
        }
    }

    /// Adds a row of `transactions`.
    pub fn row(&mut self, row: Row) {
        self.verdict.rows += 1;
        if let Some((name, recorded)) = self.line(row) {
            self.ids.entry(name).or_default().rows.push(recorded);
        }
    }

    /// Adds a row of `conflicts`.
    pub fn conflict(&mut self, row: Row) {
        self.verdict.conflict_rows += 1;
        if let Some((name, recorded)) = self.line(row) {
            self.ids.entry(name).or_default().conflicts.push(recorded);
        }
    }

    pub fn verdict(mut self) -> Verdict {
        for (name, known) in &self.ids {
            rules::judge(name, known, &mut self.verdict);
        }
        self.verdict
    }

    /// What it sent belongs to no id: if it is recorded, it is a row that nobody sent.
    fn unknown_caller(&mut self, attempt: &Attempt) {
        let verdict = &mut self.verdict;
        verdict.attempts += 1;
        match &attempt.answer {
            Answer::Refused { .. } => verdict.refused += 1,
            Answer::Failed { .. } => verdict.failed += 1,
            Answer::NoAnswer => verdict.unanswered += 1,
            Answer::Accepted { .. } => verdict.acknowledged += 1,
            Answer::Conflict => verdict.conflicts_answered += 1,
        }
        rules::is_kept_out(attempt, verdict);
    }

    /// Checks that a line of an object is recorded only once, in one of the tables. A second time is a breach and is
    /// otherwise ignored.
    fn line(&mut self, row: Row) -> Option<(Name, Recorded)> {
        let name = Name {
            id: row.id,
            client: row.client,
        };
        let lines = self.lines.entry(row.object_key.clone()).or_default();
        if !lines.insert(row.object_line) {
            self.verdict.broken.push(Breach {
                kind: BreachKind::Doubled,
                id: name.to_string(),
                detail: format!(
                    "line {} of {} is recorded twice",
                    row.object_line, row.object_key
                ),
            });
            return None;
        }
        let recorded = Recorded {
            content: row.content.normal(),
            recorded_ms: row.recorded_ms,
        };
        Some((name, recorded))
    }
}

impl Id {
    fn sent(&mut self, content: Content) -> &mut Sent {
        let known = self.sent.iter().position(|sent| sent.content == content);
        let at = known.unwrap_or(self.sent.len());
        if known.is_none() {
            self.sent.push(Sent::new(content));
        }
        &mut self.sent[at]
    }
}

impl Sent {
    fn new(content: Content) -> Self {
        Self {
            content,
            first_accepted_ms: None,
            receipt: None,
            accepted: false,
            conflict: false,
            open: false,
        }
    }
}
