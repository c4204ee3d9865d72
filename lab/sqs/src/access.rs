//! Authorizes queue operations: by the policies of the caller's role, and the queue's own policy.

use std::collections::HashMap;

use aws_model::iam::Policy;
use serde::Deserialize;
use server_kit::config::{ConfigError, ConfigErrors};
use server_kit::role::{Caller, Callers, Denied};

use crate::arn::Account;
use crate::config::Config;

#[derive(Debug)]
pub struct Access {
    pub callers: Callers,
    /// Queue policies by queue name.
    policies: HashMap<String, Policy>,
}

/// The request members that name a queue.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    queue_url: Option<String>,
    queue_name: Option<String>,
    source_arn: Option<String>,
}

impl Access {
    pub fn load(config: &Config) -> Result<Self, ConfigError> {
        let callers = Callers::load(
            config.access_key_ids.clone(),
            &config.callers,
            &config.account_id,
        )?;
        let mut mistakes = ConfigErrors::default();
        let mut policies = HashMap::new();
        for queue in &config.queues {
            let file = queue.policy.as_deref();
            match file.map(|file| Policy::load(file, Policy::of_resource)) {
                None => {}
                Some(Ok(policy)) => drop(policies.insert(queue.name.clone(), policy)),
                Some(Err(error)) => mistakes.add(error.to_string()),
            }
        }
        mistakes.into_result()?;
        Ok(Self { callers, policies })
    }

    pub fn authorize(
        &self,
        caller: &Caller,
        operation: &str,
        body: &[u8],
        account: &Account,
    ) -> Result<(), Denied> {
        let named: Named = serde_json::from_slice(body).unwrap_or_default();
        let by_url = named.queue_url.as_deref();
        let by_arn = named.source_arn.as_deref();
        let queue = by_url
            .and_then(|url| account.queue_of_url(url))
            .or(by_arn.and_then(|arn| account.queue_of_arn(arn)))
            .or(named.queue_name.as_deref());
        // An operation without a queue name, such as ListQueues: the role needs the permission on all queues.
        let queue = queue.unwrap_or("*");
        // A batch action needs the permission of the single action.
        let action = operation.strip_suffix("Batch").unwrap_or(operation);
        caller.authorize(
            &format!("sqs:{action}"),
            &account.arn(queue),
            self.policies.get(queue),
        )
    }
}
