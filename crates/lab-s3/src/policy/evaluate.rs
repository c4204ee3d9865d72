//! The decision on a request.

use super::context::Context;
use super::document::{Effect, Policy, Principals, Statement};
use super::pattern;

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// `arn:aws:iam::<account>:role/<name>`.
    pub arn: String,
    pub account: String,
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

/// Within one account: a `Deny` anywhere wins, else an `Allow` anywhere suffices, else no.
pub fn evaluate(
    request: Request<'_>,
    of_identity: &[Policy],
    of_bucket: Option<&Policy>,
) -> Decision {
    let mut decision = Decision::NotAllowed;
    for statement in of_identity
        .iter()
        .chain(of_bucket)
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
    match named {
        Principals::Everyone => true,
        Principals::Aws(arns) => arns.iter().any(|arn| {
            *arn == principal.arn
                || *arn == principal.account
                || *arn == format!("arn:aws:iam::{}:root", principal.account)
        }),
    }
}
