//! Authorization by IAM policies, as on AWS: of roles, and of services that call on behalf of a resource.

use std::path::PathBuf;
use std::sync::Arc;

use http::HeaderMap;
use serde::Deserialize;

use crate::caller::{AccessKeyIds, AuthError, claimed, same};
use crate::config::{ConfigError, ConfigErrors};
use crate::secret::Secret;
use aws_model::iam::{Context, Decision, Key, Policy, Principal, Request, evaluate};

/// An access key id, and the role or service that it belongs to.
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
        /// Policy files.
        policies: Vec<PathBuf>,
    },
    Service {
        /// Service principal, such as `s3.amazonaws.com`.
        service: String,
        /// ARN of the resource that it calls for, such as a bucket.
        source_arn: String,
    },
}

/// Everyone who may call a server: operators, who may do everything, and roles restricted by policies.
#[derive(Clone, Debug)]
pub struct Callers {
    operators: AccessKeyIds,
    roles: Arc<Vec<(Secret, Arc<Identity>)>>,
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
    /// The operator, who may do everything.
    Operator,
    Role(RoleCaller),
}

#[derive(Clone, Debug)]
pub struct RoleCaller(Arc<Identity>);

/// Access denied, in AWS's wording.
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
    /// Loads the policies.
    pub fn load(
        operators: AccessKeyIds,
        roles: &[CallerConfig],
        account: &str,
    ) -> Result<Self, ConfigError> {
        let mut mistakes = ConfigErrors::default();
        let roles = roles
            .iter()
            .map(|config| {
                let identity = Identity::load(&config.identity, account, &mut mistakes);
                (config.access_key_id.clone(), Arc::new(identity))
            })
            .collect();
        mistakes.into_result()?;
        Ok(Self {
            operators,
            roles: Arc::new(roles),
        })
    }

    /// Authenticates a request by the access key id in its Signature Version 4 Authorization header.
    pub fn admit(&self, headers: &HeaderMap) -> Result<Caller, AuthError> {
        let id = claimed(headers)?;
        let found = self.roles.iter().fold(None, |found, (known, identity)| {
            let is_it = same(known.expose().as_bytes(), id.as_bytes());
            if is_it { Some(identity) } else { found }
        });
        match found {
            Some(identity) => Ok(Caller::Role(RoleCaller(Arc::clone(identity)))),
            None if self.operators.contains(id) => Ok(Caller::Operator),
            None => Err(AuthError::Unknown),
        }
    }
}

impl Identity {
    fn load(config: &IdentityConfig, account: &str, mistakes: &mut ConfigErrors) -> Self {
        let mut context = Context::default();
        // Plain HTTP, but on loopback, where nobody can listen in.
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
    /// Whether the caller's policies and the resource's own policy allow the action.
    pub fn authorize(
        &self,
        action: &str,
        resource: &str,
        of_resource: Option<&Policy>,
    ) -> Result<(), Denied> {
        let Self::Role(RoleCaller(identity)) = self else {
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
