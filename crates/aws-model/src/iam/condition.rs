//! Condition operators.

use super::context::{Context, Key};
use super::pattern;

/// How a request's value is compared with those that a policy lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equals,
    EqualsIgnoreCase,
    Like,
    ArnLike,
    Bool,
}

impl Comparison {
    fn holds(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::Equals => wanted == value,
            Self::EqualsIgnoreCase | Self::Bool => wanted.eq_ignore_ascii_case(value),
            Self::Like => pattern::matches(wanted, value),
            Self::ArnLike => pattern::arn_matches(wanted, value),
        }
    }
}

#[derive(Clone, Debug)]
enum Operator {
    /// `Null`: whether the key is absent.
    Null,
    Compare {
        with: Comparison,
        negated: bool,
        if_exists: bool,
    },
}

impl Operator {
    fn parse(name: &str) -> Option<Self> {
        if name == "Null" {
            return Some(Self::Null);
        }
        let (base, if_exists) = match name.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (name, false),
        };
        let (with, negated) = match base {
            "StringEquals" => (Comparison::Equals, false),
            "StringNotEquals" => (Comparison::Equals, true),
            "StringEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Comparison::EqualsIgnoreCase, true),
            "StringLike" => (Comparison::Like, false),
            "StringNotLike" => (Comparison::Like, true),
            "ArnEquals" | "ArnLike" => (Comparison::ArnLike, false),
            "ArnNotEquals" | "ArnNotLike" => (Comparison::ArnLike, true),
            "Bool" => (Comparison::Bool, false),
            _ => return None,
        };
        Some(Self::Compare {
            with,
            negated,
            if_exists,
        })
    }
}

/// One operator on one key: `"StringLike": {"s3:prefix": ["a/*", "b/*"]}`.
#[derive(Clone, Debug)]
pub struct Condition {
    operator: Operator,
    key: Key,
    values: Vec<String>,
}

/// Why a condition can't be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum ConditionError {
    #[error("condition operator {0:?} is not known to the lab")]
    Operator(String),
    #[error("condition key {0:?} is not known to the lab")]
    Key(String),
    #[error("condition value {value:?} of {key:?} is neither \"true\" nor \"false\"")]
    Boolean { key: String, value: String },
    #[error("condition key {0:?} has no values")]
    Empty(String),
}

impl Condition {
    pub fn parse(operator: &str, key: &str, values: Vec<String>) -> Result<Self, ConditionError> {
        let parsed = Operator::parse(operator)
            .ok_or_else(|| ConditionError::Operator(operator.to_owned()))?;
        let known = Key::find(key).ok_or_else(|| ConditionError::Key(key.to_owned()))?;
        if values.is_empty() {
            return Err(ConditionError::Empty(key.to_owned()));
        }
        let boolean = matches!(
            parsed,
            Operator::Null
                | Operator::Compare {
                    with: Comparison::Bool,
                    ..
                }
        );
        if boolean && let Some(value) = values.iter().find(|value| !is_boolean(value)) {
            return Err(ConditionError::Boolean {
                key: key.to_owned(),
                value: value.clone(),
            });
        }
        Ok(Self {
            operator: parsed,
            key: known,
            values,
        })
    }

    /// Several values are alternatives; under a negated operator none of them may match.
    /// An absent key fails a plain operator, and satisfies a negated one or `…IfExists`.
    pub fn holds(&self, context: &Context) -> bool {
        let value = context.get(self.key);
        match self.operator {
            Operator::Null => self
                .values
                .iter()
                .any(|wanted| wanted.eq_ignore_ascii_case("true") == value.is_none()),
            Operator::Compare {
                with,
                negated,
                if_exists,
            } => match value {
                None => negated || if_exists,
                Some(value) => {
                    negated != self.values.iter().any(|wanted| with.holds(wanted, value))
                }
            },
        }
    }
}

fn is_boolean(value: &str) -> bool {
    value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false")
}
