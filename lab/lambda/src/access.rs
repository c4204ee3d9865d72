//! Authorizes calls: by the policies of the caller's role, and the function's resource policy.

use aws_model::iam::Policy;
use server_kit::config::{ConfigError, ConfigErrors};
use server_kit::role::{Caller, Callers, Denied};

use crate::config::Config;

#[derive(Debug)]
pub struct Access {
    pub callers: Callers,
    of_function: Option<Policy>,
}

impl Access {
    pub fn load(config: &Config) -> Result<Self, ConfigError> {
        let callers = Callers::load(
            config.access_key_ids.clone(),
            &config.callers,
            &config.account_id,
        )?;
        let mut mistakes = ConfigErrors::default();
        let file = config.function.resource_policy.as_deref();
        let of_function = file.and_then(|file| {
            Policy::load(file, Policy::of_resource)
                .map_err(|error| mistakes.add(error.to_string()))
                .ok()
        });
        mistakes.into_result()?;
        Ok(Self {
            callers,
            of_function,
        })
    }

    pub fn authorize(&self, caller: &Caller, path: &str, function: &str) -> Result<(), Denied> {
        let action = if path.ends_with("/invocations") {
            "lambda:InvokeFunction"
        } else if path.starts_with("/_lab/") {
            // Not an AWS action, so no policy allows it.
            "lab:Operate"
        } else {
            "lambda:GetFunction"
        };
        caller.authorize(action, function, self.of_function.as_ref())
    }
}
