//! Policies as JSON writes them.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::condition::Condition;
use super::document::{Effect, PolicyError, Principals, Selection, Statement};
use super::pattern;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct Document {
    pub version: String,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<RawStatement>,
}

impl Document {
    pub fn statements(self) -> Result<Vec<Statement>, PolicyError> {
        let statements = self.statement.into_vec().into_iter().enumerate();
        statements.map(|(at, raw)| raw.check(at)).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct RawStatement {
    sid: Option<String>,
    effect: Effect,
    principal: Option<RawPrincipal>,
    not_principal: Option<serde_json::Value>,
    action: Option<OneOrMany<String>>,
    not_action: Option<OneOrMany<String>>,
    resource: Option<OneOrMany<String>>,
    not_resource: Option<OneOrMany<String>>,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>,
}

impl RawStatement {
    fn check(self, at: usize) -> Result<Statement, PolicyError> {
        let name = self.sid.unwrap_or_else(|| at.to_string());
        if self.not_principal.is_some() {
            return Err(PolicyError::NotPrincipal(name));
        }
        let actions = select(self.action, self.not_action, "Action", &name)?
            .ok_or_else(|| PolicyError::Selection(name.clone(), "Action"))?;
        let resources = select(self.resource, self.not_resource, "Resource", &name)?;
        let principals = self.principal.map(|raw| raw.check(&name)).transpose()?;
        let conditions = if concerns_the_lab(&actions) {
            conditions(self.condition, &name)?
        } else {
            Vec::new()
        };
        Ok(Statement {
            name,
            effect: self.effect,
            principals,
            actions,
            resources,
            conditions,
        })
    }
}

fn select(
    plain: Option<OneOrMany<String>>,
    negated: Option<OneOrMany<String>>,
    element: &'static str,
    statement: &str,
) -> Result<Option<Selection>, PolicyError> {
    let selection = match (plain, negated) {
        (None, None) => return Ok(None),
        (Some(patterns), None) => Selection {
            negated: false,
            patterns: patterns.into_vec(),
        },
        (None, Some(patterns)) => Selection {
            negated: true,
            patterns: patterns.into_vec(),
        },
        (Some(_), Some(_)) => return Err(PolicyError::Selection(statement.to_owned(), element)),
    };
    no_variables(&selection.patterns, statement)?;
    Ok(Some(selection))
}

fn conditions(
    raw: BTreeMap<String, BTreeMap<String, OneOrMany<Scalar>>>,
    statement: &str,
) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, keys) in raw {
        for (key, values) in keys {
            let values: Vec<_> = values
                .into_vec()
                .into_iter()
                .map(Scalar::into_text)
                .collect();
            no_variables(&values, statement)?;
            let condition = Condition::parse(&operator, &key, values)
                .map_err(|source| PolicyError::Condition(statement.to_owned(), source))?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

fn no_variables(values: &[String], statement: &str) -> Result<(), PolicyError> {
    if values.iter().any(|value| value.contains("${")) {
        return Err(PolicyError::Variable(statement.to_owned()));
    }
    Ok(())
}

/// Services that the lab has.
const SERVICES: [&str; 3] = ["s3", "sqs", "lambda"];

/// Whether a statement with these actions can ever apply to a request to the lab.
fn concerns_the_lab(actions: &Selection) -> bool {
    let service = |pattern: &str| {
        let named = pattern.split(':').next().unwrap_or_default();
        SERVICES
            .iter()
            .any(|service| pattern::matches_ignoring_case(named, service))
    };
    actions.negated || actions.patterns.iter().any(|pattern| service(pattern))
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawPrincipal {
    Text(String),
    Kinds(BTreeMap<String, OneOrMany<String>>),
}

impl RawPrincipal {
    fn check(self, statement: &str) -> Result<Principals, PolicyError> {
        let unknown = |principal: &str| PolicyError::Principal {
            statement: statement.to_owned(),
            principal: principal.to_owned(),
        };
        let mut kinds = match self {
            Self::Text(text) if text == "*" => return Ok(Principals::Everyone),
            Self::Text(text) => return Err(unknown(&text)),
            Self::Kinds(kinds) => kinds,
        };
        let mut named = |kind: &str| {
            let names = kinds.remove(kind).map(OneOrMany::into_vec);
            names.unwrap_or_default()
        };
        let (aws, services) = (named("AWS"), named("Service"));
        if let Some(kind) = kinds
            .keys()
            .find(|kind| !ELSEWHERE.contains(&kind.as_str()))
        {
            return Err(unknown(kind));
        }
        if let Some(arn) = aws.iter().find(|arn| !names_iam_principal(arn)) {
            return Err(unknown(arn));
        }
        if aws.iter().any(|arn| arn == "*") {
            return Ok(Principals::Everyone);
        }
        Ok(Principals::Named { aws, services })
    }
}

/// Kinds of principals that never call the lab.
const ELSEWHERE: [&str; 2] = ["Federated", "CanonicalUser"];

/// Everyone, an account id, or the ARN of an account, role or user.
fn names_iam_principal(text: &str) -> bool {
    let account_id = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    text == "*" || account_id || text.starts_with("arn:aws:iam::")
}

/// A list, or its one member without brackets.
#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany<T> {
    Many(Vec<T>),
    One(T),
}

impl<T> OneOrMany<T> {
    fn into_vec(self) -> Vec<T> {
        match self {
            Self::Many(values) => values,
            Self::One(value) => vec![value],
        }
    }
}

/// Condition values may be written as text, boolean or number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Boolean(bool),
    Number(serde_json::Number),
}

impl Scalar {
    fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Boolean(value) => value.to_string(),
            Self::Number(value) => value.to_string(),
        }
    }
}
