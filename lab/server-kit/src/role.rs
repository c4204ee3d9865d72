//! Callers who may do what policies let them, as on AWS: roles, and services that call for a resource.

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderMap;
use serde::Deserialize;

use crate::caller::{AccessKeyIds, Stranger, claimed, same};
use crate::config::{ConfigError, Mistakes};
use crate::secret::Secret;
use aws_model::iam::{Context, Decision, Key, Policy, Principal, Request, evaluate};

/// Who bears an access key id: a role with its policies, or a service.
#[derive(Clone, Debug, Deserialize)]
pub struct CallerConfig {
    pub access_key_id: Secret,
    #[serde(flatten)]
    pub identity: IdentityConfig,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum IdentityConfig {
    Role {
        /// Name of the IAM role.
        role: String,
        /// Files of its policies.
        policies: Vec<PathBuf>,
    },
    Service {
        /// Such as `s3.amazonaws.com`.
        service: String,
        /// For which it calls, such as a bucket's ARN.
        source_arn: String,
    },
}

/// All who may call a server: bearers of known ids, who may do everything, and those that policies bind.
#[derive(Clone, Debug)]
pub struct Callers {
    unbound: AccessKeyIds,
    bound: Arc<Vec<(Secret, Arc<Identity>)>>,
}

#[derive(Debug)]
struct Identity {
    principal: Principal,
    policies: Vec<Policy>,
    context: Context,
}

/// Who made a request.
#[derive(Clone, Debug)]
pub enum Caller {
    /// May do everything: the operator.
    Unbound,
    Bound(Bound),
}

#[derive(Clone, Debug)]
pub struct Bound(Arc<Identity>);

/// A refusal in the words of AWS.
#[derive(Debug, thiserror::Error)]
#[error(
    "User: {caller} is not authorized to perform: {action} on resource: {resource} {}",
    reason(*.decision)
)]
pub struct Denied {
    caller: String,
    action: String,
    resource: String,
    decision: Decision,
}

fn reason(decision: Decision) -> &'static str {
    match decision {
        Decision::ExplicitlyDenied => "with an explicit deny in a policy",
        Decision::NotAllowed | Decision::Allowed => "because no policy allows the action",
    }
}

impl Callers {
    /// Reads the policies.
    pub fn load(
        unbound: AccessKeyIds,
        bound: &[CallerConfig],
        account: &str,
    ) -> Result<Self, ConfigError> {
        let mut mistakes = Mistakes::default();
        let bound = bound
            .iter()
            .map(|config| {
                let identity = Identity::load(&config.identity, account, &mut mistakes);
                (config.access_key_id.clone(), Arc::new(identity))
            })
            .collect();
        mistakes.into_result()?;
        Ok(Self {
            unbound,
            bound: Arc::new(bound),
        })
    }

    /// Finds who made a request whose header Authorization has the form of Signature Version 4.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Caller, Stranger> {
        let id = claimed(headers)?;
        let found = self.bound.iter().fold(None, |found, (known, identity)| {
            let is_it = same(known.reveal().as_bytes(), id.as_bytes());
            if is_it { Some(identity) } else { found }
        });
        match found {
            Some(identity) => Ok(Caller::Bound(Bound(Arc::clone(identity)))),
            None if self.unbound.contains(id) => Ok(Caller::Unbound),
            None => Err(Stranger::Unknown),
        }
    }
}

impl Identity {
    fn load(config: &IdentityConfig, account: &str, mistakes: &mut Mistakes) -> Self {
        let mut context = Context::default();
        // Plain HTTP on loopback, which nobody can listen in on.
        context.set(Key::SECURE_TRANSPORT, Some("true"));
        let (principal, files) = match config {
            IdentityConfig::Role { role, policies } => {
                (Principal::role(account, role), policies.as_slice())
            }
            IdentityConfig::Service {
                service,
                source_arn,
            } => {
                context.set(Key::SOURCE_ARN, Some(source_arn));
                context.set(Key::SOURCE_ACCOUNT, Some(account));
                (Principal::Service(service.clone()), &[][..])
            }
        };
        context.set_principal(&principal);
        let mut policies = Vec::new();
        for file in files {
            match Policy::load(file, Policy::of_identity) {
                Ok(policy) => policies.push(policy),
                Err(error) => mistakes.add(error.to_string()),
            }
        }
        Self {
            principal,
            policies,
            context,
        }
    }
}

impl Caller {
    /// Whether the caller's policies and the resource's own let it do that.
    pub fn authorize(
        &self,
        action: &str,
        resource: &str,
        of_resource: Option<&Policy>,
    ) -> Result<(), Denied> {
        let Self::Bound(Bound(identity)) = self else {
            return Ok(());
        };
        let request = Request {
            principal: &identity.principal,
            action,
            resource,
            context: &identity.context,
        };
        match evaluate(request, &identity.policies, of_resource) {
            Decision::Allowed => Ok(()),
            decision => {
                let caller = identity.principal.name();
                tracing::info!(caller, action, resource, ?decision, "access denied");
                Err(Denied {
                    caller: caller.to_owned(),
                    action: action.to_owned(),
                    resource: resource.to_owned(),
                    decision,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
