//! What becomes of the findings: counts and the first differences for a person, all of them as JSON for a program.

use std::io;

use serde::Serialize;

use super::difference::{Counts, Difference, Findings};
use crate::outcome::Outcome;
use crate::output;

/// Differences that a person is shown.
const SHOWN_MAX: usize = 100;

#[derive(Debug)]
pub struct Report {
    is_json: bool,
    counts: Counts,
    shown: Vec<Difference>,
    differences: u64,
}

#[derive(Serialize)]
struct Summary {
    #[serde(flatten)]
    counts: Counts,
    differences: u64,
}

impl Report {
    pub fn new(is_json: bool) -> Self {
        Self {
            is_json,
            counts: Counts::default(),
            shown: Vec::new(),
            differences: 0,
        }
    }

    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    pub fn add(&mut self, findings: Findings) -> io::Result<()> {
        self.counts += findings.counts;
        for difference in findings.differences {
            self.differences += 1;
            if self.is_json {
                output::say_json(&difference)?;
            } else if self.shown.len() < SHOWN_MAX {
                self.shown.push(difference);
            }
        }
        Ok(())
    }

    pub fn finish(self) -> io::Result<Outcome> {
        let Self {
            counts,
            differences,
            ..
        } = self;
        if self.is_json {
            output::say_json(&Summary {
                counts,
                differences,
            })?;
        } else {
            output::say(&output::counts(&counts.named()))?;
            output::say(&output::counts(&[("differences", differences)]))?;
            for difference in &self.shown {
                output::say(&format!("{difference}\n"))?;
            }
            if differences > u64::try_from(SHOWN_MAX).unwrap_or(u64::MAX) {
                output::say(&format!(
                    "the first {SHOWN_MAX} are shown; --json shows all\n"
                ))?;
            }
        }
        Ok(if differences == 0 {
            Outcome::Clean
        } else {
            Outcome::Different
        })
    }
}
