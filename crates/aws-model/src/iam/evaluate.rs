//! The decision on a request.

use super::context::Context;
use super::document::{Effect, Policy, Principals, Statement};
use super::pattern;

/// Who asks.
#[derive(Clone, Debug)]
pub enum Principal {
    Role {
        /// `arn:aws:iam::<account>:role/<name>`.
        arn: String,
        account: String,
    },
    /// A service of AWS that calls by itself, such as `s3.amazonaws.com`. It has no policies of its own.
    Service(String),
}

impl Principal {
    pub fn role(account: &str, name: &str) -> Self {
        Self::Role {
            arn: format!("arn:aws:iam::{account}:role/{name}"),
            account: account.to_owned(),
        }
    }

    /// As messages name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Role { arn, .. } => arn,
            Self::Service(name) => name,
        }
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub principal: &'a Principal,
    /// `s3:PutObject`, for instance.
    pub action: &'a str,
    /// ARN of the bucket or object.
    pub resource: &'a str,
    pub context: &'a Context,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// A `Deny` statement applies; nothing can outweigh it.
    ExplicitlyDenied,
    /// No statement applies.
    NotAllowed,
}

/// Within one account: a `Deny` anywhere wins, else an `Allow` anywhere suffices, else no. A service is allowed by
/// the resource's policy alone.
pub fn evaluate(
    request: Request<'_>,
    of_identity: &[Policy],
    of_resource: Option<&Policy>,
) -> Decision {
    let mut decision = Decision::NotAllowed;
    for statement in of_identity
        .iter()
        .chain(of_resource)
        .flat_map(|policy| &policy.statements)
    {
        if applies(statement, request) {
            match statement.effect {
                Effect::Deny => return Decision::ExplicitlyDenied,
                Effect::Allow => decision = Decision::Allowed,
            }
        }
    }
    decision
}

fn applies(statement: &Statement, request: Request<'_>) -> bool {
    let action = |pattern: &str| pattern::matches_ignoring_case(pattern, request.action);
    let resource = |pattern: &str| pattern::matches(pattern, request.resource);
    statement.actions.selects(action)
        && statement
            .resources
            .as_ref()
            .is_some_and(|resources| resources.selects(resource))
        && statement
            .principals
            .as_ref()
            .is_none_or(|named| includes(named, request.principal))
        && statement
            .conditions
            .iter()
            .all(|condition| condition.holds(request.context))
}

/// An account is named by its id or by its root user's ARN; both mean everyone in it.
fn includes(named: &Principals, principal: &Principal) -> bool {
    match (named, principal) {
        (Principals::Everyone, _) => true,
        (Principals::Named { aws, .. }, Principal::Role { arn, account }) => {
            let root = format!("arn:aws:iam::{account}:root");
            aws.iter()
                .any(|named| named == arn || named == account || *named == root)
        }
        (Principals::Named { services, .. }, Principal::Service(name)) => services.contains(name),
    }
}
