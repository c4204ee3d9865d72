//! What a policy means.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::condition::{Condition, ConditionError};
use super::syntax::Document;

/// A policy that can be evaluated.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

#[derive(Clone, Debug)]
pub(super) struct Statement {
    /// Its `Sid`, or its position if it has none.
    pub name: String,
    pub effect: Effect,
    /// `None` in a policy that is attached to an identity.
    pub principals: Option<Principals>,
    pub actions: Selection,
    /// `None` in a trust policy, which is itself attached to its resource.
    pub resources: Option<Selection>,
    pub conditions: Vec<Condition>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub negated: bool,
    pub patterns: Vec<String>,
}

impl Selection {
    pub fn selects(&self, matches: impl Fn(&str) -> bool) -> bool {
        self.negated != self.patterns.iter().any(|pattern| matches(pattern))
    }
}

#[derive(Clone, Debug)]
pub(super) enum Principals {
    Everyone,
    Named {
        /// ARNs and account ids.
        aws: Vec<String>,
        /// Such as `s3.amazonaws.com`.
        services: Vec<String>,
    },
}

/// What is wrong with a policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error("not a policy document")]
    Json(#[source] serde_json::Error),
    #[error("Version must be \"2012-10-17\"")]
    Version,
    #[error("statement {0}: give either {1} or Not{1}")]
    Selection(String, &'static str),
    #[error(
        "statement {0}: NotPrincipal can't be evaluated by the lab; use Principal with a condition"
    )]
    NotPrincipal(String),
    #[error("statement {statement}: principal {principal:?} is not one that the lab can evaluate")]
    Principal {
        statement: String,
        principal: String,
    },
    #[error("statement {0}: a policy of an identity names resources and no principal")]
    NotForIdentity(String),
    #[error(
        "statement {0}: a policy of a bucket, queue or function names resources and a principal"
    )]
    NotForResource(String),
    #[error("statement {0}: policy variables (${{…}}) can't be evaluated by the lab")]
    Variable(String),
    #[error("statement {0}")]
    Condition(String, #[source] ConditionError),
}

/// A file that holds no policy that can be evaluated.
#[derive(Debug, thiserror::Error)]
#[error("policy {}: {reason}", file.display())]
pub struct LoadError {
    file: PathBuf,
    reason: String,
}

impl Policy {
    /// Reads any policy: of an identity, of a resource, or a role's trust.
    pub fn parse(json: &[u8]) -> Result<Self, PolicyError> {
        let document: Document = serde_json::from_slice(json).map_err(PolicyError::Json)?;
        if document.version != "2012-10-17" {
            return Err(PolicyError::Version);
        }
        let statements = document.statements()?;
        Ok(Self { statements })
    }

    /// Reads a policy that is attached to a role or user.
    pub fn of_identity(json: &[u8]) -> Result<Self, PolicyError> {
        let fits = |s: &Statement| s.principals.is_none() && s.resources.is_some();
        Self::parse(json)?.all(fits, PolicyError::NotForIdentity)
    }

    /// Reads a policy that is attached to a bucket, queue or function.
    pub fn of_resource(json: &[u8]) -> Result<Self, PolicyError> {
        let fits = |s: &Statement| s.principals.is_some() && s.resources.is_some();
        Self::parse(json)?.all(fits, PolicyError::NotForResource)
    }

    /// Reads the policy in a file.
    pub fn load(
        file: &Path,
        parse: fn(&[u8]) -> Result<Self, PolicyError>,
    ) -> Result<Self, LoadError> {
        let failed = |reason| LoadError {
            file: file.to_owned(),
            reason,
        };
        let json = std::fs::read(file).map_err(|error| failed(error.to_string()))?;
        parse(&json).map_err(|error| {
            let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
            failed(format!("{error}{}", source.unwrap_or_default()))
        })
    }

    fn all(
        self,
        fits: impl Fn(&Statement) -> bool,
        error: fn(String) -> PolicyError,
    ) -> Result<Self, PolicyError> {
        match self.statements.iter().find(|statement| !fits(statement)) {
            Some(statement) => Err(error(statement.name.clone())),
            None => Ok(self),
        }
    }
}
