//! What becomes of the findings: counts and the first differences for a person, all of them as JSON for a program. Both
//! say what was covered, and end with the outcome.

use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::io;

use serde::Serialize;
use tokio::task::JoinError;

use super::counts::{Counts, TableCounts};
use super::difference::{Difference, DifferenceKind, Findings, Unread};
use super::scope::Coverage;
use crate::outcome::Outcome;
use crate::output::{self, safe};
use crate::proof::chain::Proven;

/// Differences, and objects that could not be read, that a person is shown.
const SHOWN_MAX: usize = 100;

/// Differences that are known again: a search comes by rows that were named with their lines.
const KNOWN_MAX: usize = 100_000;

#[derive(Debug)]
pub struct Report {
    is_json: bool,
    counts: Counts,
    shown: Vec<Difference>,
    unread: Vec<Unread>,
    unproven: Vec<Difference>,
    differences: u64,
    /// Lines that name the differences: one may name many objects.
    named: u64,
    known: HashSet<u64>,
    hasher: RandomState,
    /// Why the audit is not whole.
    gaps: Vec<String>,
    proven: Option<Proven>,
}

#[derive(Serialize)]
struct Summary<'a> {
    covered: &'a Coverage,
    #[serde(flatten)]
    counts: &'a Counts,
    #[serde(skip_serializing_if = "Option::is_none")]
    chain: Option<&'a Proven>,
    differences: u64,
    not_covered: &'a [String],
    outcome: Outcome,
}

impl Report {
    pub fn new(is_json: bool) -> Self {
        Self {
            is_json,
            counts: Counts::default(),
            shown: Vec::new(),
            unread: Vec::new(),
            unproven: Vec::new(),
            differences: 0,
            named: 0,
            known: HashSet::new(),
            hasher: RandomState::new(),
            gaps: Vec::new(),
            proven: None,
        }
    }

    /// What the chain says.
    pub fn prove(&mut self, proven: Proven) {
        self.proven = Some(proven);
    }

    /// What the chain says; `None` if it was not asked.
    pub fn proven(&self) -> Option<&Proven> {
        self.proven.as_ref()
    }

    /// Whether nothing was found so far, and all was looked at.
    pub fn is_clean(&self) -> bool {
        let Counts {
            unread, unproven, ..
        } = self.counts;
        self.differences + unread + unproven == 0 && self.gaps.is_empty()
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn add(&mut self, findings: Findings) -> io::Result<()> {
        self.counts += findings.counts;
        for difference in findings.differences {
            if !self.is_news(&difference) {
                continue;
            }
            let shown = if difference.kind == DifferenceKind::Unproven {
                self.counts.unproven += 1;
                &mut self.unproven
            } else {
                self.differences += difference.count();
                self.named += 1;
                &mut self.shown
            };
            if self.is_json {
                output::say_json(&difference)?;
            } else if shown.len() < SHOWN_MAX {
                shown.push(difference);
            }
        }
        for unread in findings.unread {
            if self.is_json {
                output::say_json(&unread)?;
            } else if self.unread.len() < SHOWN_MAX {
                self.unread.push(unread);
            }
        }
        Ok(())
    }

    fn is_news(&mut self, difference: &Difference) -> bool {
        let hash = self.hasher.hash_one(difference);
        if self.known.len() < KNOWN_MAX {
            self.known.insert(hash)
        } else {
            !self.known.contains(&hash)
        }
    }

    /// What a task found, if it came to its end.
    pub fn add_done(&mut self, done: Result<Findings, JoinError>) -> io::Result<()> {
        match done {
            Ok(findings) => self.add(findings),
            Err(error) => {
                self.gap(format!(
                    "a part of the work ended by itself, which is a defect: {error}"
                ));
                Ok(())
            }
        }
    }

    /// A part of the work that came to no end.
    pub fn gap(&mut self, what: impl Into<String>) {
        self.gaps.push(what.into());
    }

    pub fn finish(&mut self, covered: &Coverage) -> io::Result<Outcome> {
        self.note_gaps();
        let outcome = Outcome::unfinished_if(!self.gaps.is_empty())
            .and(Outcome::different_if(self.differences > 0));
        if self.is_json {
            output::say_json(&Summary {
                covered,
                counts: &self.counts,
                chain: self.proven.as_ref(),
                differences: self.differences,
                not_covered: &self.gaps,
                outcome,
            })?;
            return Ok(outcome);
        }
        output::say(&format!("{}\n", safe(&covered.to_string())))?;
        output::say(&output::counts(&self.counts.named()))?;
        if let Some(proven) = &self.proven {
            output::say(&proven.to_string())?;
        }
        output::say(&output::counts(&[("differences", self.differences)]))?;
        for difference in self.shown.iter().chain(&self.unproven) {
            output::say(&format!("{difference}\n"))?;
        }
        for unread in &self.unread {
            output::say(&format!("{unread}\n"))?;
        }
        let shown = u64::try_from(SHOWN_MAX).unwrap_or(u64::MAX);
        if [self.named, self.counts.unread, self.counts.unproven]
            .iter()
            .any(|count| *count > shown)
        {
            output::say(&format!(
                "the first {SHOWN_MAX} are shown; --json shows all\n"
            ))?;
        }
        for gap in &self.gaps {
            output::say(&format!("not covered: {}\n", safe(gap)))?;
        }
        output::say(match outcome {
            Outcome::Clean => "clean\n",
            Outcome::Different => "not clean\n",
            Outcome::Unfinished => "not known whether it is clean\n",
        })?;
        Ok(outcome)
    }

    fn note_gaps(&mut self) {
        let counts = &self.counts;
        let tables = [
            counts.transactions,
            counts.conflict_rows,
            counts.reject_rows,
        ];
        let rows = |count: fn(&TableCounts) -> u64| tables.iter().map(count).sum::<u64>();
        let counted = [
            (counts.unread, "objects could not be looked at"),
            (
                rows(|table| table.unread),
                "rows name objects that could not be looked at",
            ),
            (
                counts.unproven,
                "versions, lines or rows are unproven: S3 does not hold what they rest on, or nobody can read it",
            ),
            (
                counts.objects_elsewhere,
                "objects are in the ledger and lie outside LOG_PREFIX",
            ),
            (
                rows(|table| table.elsewhere),
                "rows name objects outside LOG_PREFIX",
            ),
            (
                counts.on_their_way,
                "objects are young and not ingested; run this again, or end the range before them with --to",
            ),
        ];
        let gaps = counted.iter().filter(|(count, _)| *count > 0);
        self.gaps
            .extend(gaps.map(|(count, what)| format!("{count} {what}")));
        if counts.objects == 0 && self.differences == 0 {
            self.gaps
                .push("nothing was looked at: the journal holds no object of the range".to_owned());
        }
    }
}
