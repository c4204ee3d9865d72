//! What is wrong, and how that reads.

use std::fmt::Write as _;

use aws_model::iam::{Policy, PolicyError};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The pipeline fails by it, or is open to someone.
    Error,
    /// It will, when something else happens; or it costs money.
    Warning,
    /// It works and is safe without; where money is at stake, somebody will ask for it.
    Advice,
}

/// One fault.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// The kind of fault; it stays the same from version to version.
    pub code: &'static str,
    /// What was found, with ids.
    pub what: String,
    /// What comes of it.
    pub causes: String,
    /// Why that is so.
    pub why: String,
    /// A command that fixes it; without one, what a person must do.
    pub mend: String,
}

impl Finding {
    pub fn causes(&mut self, causes: impl Into<String>) -> &mut Self {
        self.causes = causes.into();
        self
    }

    pub fn why(&mut self, why: impl Into<String>) -> &mut Self {
        self.why = why.into();
        self
    }

    pub fn mend(&mut self, mend: impl Into<String>) {
        self.mend = mend.into();
    }

    /// A block for people.
    pub fn block(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Advice => "advice",
        };
        let mut text = format!("{severity:<8} {}: {}\n", self.code, self.what);
        for (name, value) in [
            ("causes", &self.causes),
            ("why", &self.why),
            ("mend", &self.mend),
        ] {
            // Writing to a String can't fail.
            let _ = writeln!(text, "  {name:<6} {value}");
        }
        text
    }
}

#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub found: Vec<Finding>,
    /// What could not be looked at, and why.
    pub notes: Vec<String>,
}

impl Findings {
    /// Adds an error, of which the caller says more.
    pub fn error(&mut self, code: &'static str, what: impl Into<String>) -> &mut Finding {
        self.add(Severity::Error, code, what.into())
    }

    /// Adds a warning, of which the caller says more.
    pub fn warning(&mut self, code: &'static str, what: impl Into<String>) -> &mut Finding {
        self.add(Severity::Warning, code, what.into())
    }

    /// Adds advice, of which the caller says more.
    pub fn advice(&mut self, code: &'static str, what: impl Into<String>) -> &mut Finding {
        self.add(Severity::Advice, code, what.into())
    }

    fn add(&mut self, severity: Severity, code: &'static str, what: String) -> &mut Finding {
        self.found.push_mut(Finding {
            severity,
            code,
            what,
            causes: String::new(),
            why: String::new(),
            mend: String::new(),
        })
    }

    /// Faults: advice is none.
    pub fn faults(&self) -> usize {
        let faults = self.found.iter();
        faults
            .filter(|finding| finding.severity < Severity::Advice)
            .count()
    }

    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// The policy of a resource, from its text, which is empty if there is none. One that can't be evaluated is noted.
    pub fn policy_of(&mut self, resource: &str, json: &str) -> Result<Option<Policy>, PolicyError> {
        if json.is_empty() {
            return Ok(None);
        }
        let policy = Policy::of_resource(json.as_bytes());
        if let Err(error) = &policy {
            let why = program::chain(error);
            self.note(format!(
                "could not evaluate the policy of {resource}: {why}"
            ));
        }
        policy.map(Some)
    }
}
