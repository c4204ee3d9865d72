//! Validates a configuration, and reports every mistake at once.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use server_kit::config::{ConfigError, ConfigErrors};
use server_kit::secret::Secret;

use super::destination::Apis;
use super::{BucketConfig, Config, IdentityConfig, NotificationConfig};
use crate::access::Identity;
use crate::notify::{EventName, Rule};
use crate::store::DefaultRetention;
use aws_model::iam::{Policy, PolicyError, Principal};

/// A valid configuration.
pub struct Checked {
    pub listen: SocketAddr,
    pub root: PathBuf,
    pub region: String,
    pub account: String,
    pub buckets: Vec<CheckedBucket>,
    pub identities: Vec<Identity>,
    pub put_latency: Duration,
    pub control_token: Option<Secret>,
}

pub struct CheckedBucket {
    pub name: String,
    pub policy: Option<Policy>,
    pub object_lock: Option<DefaultRetention>,
    pub rules: Vec<Rule>,
}

pub fn check(config: Config) -> Result<Checked, ConfigError> {
    let mut mistakes = ConfigErrors::default();
    mistakes.unless(
        is_account_id(&config.account_id),
        "account_id: must be twelve digits",
    );
    mistakes.unless(
        !config.region.is_empty(),
        "region: must be a name such as us-west-2",
    );
    mistakes.unless(
        config
            .control_token
            .as_ref()
            .is_none_or(|token| !token.is_empty()),
        "control_token is empty",
    );
    let apis = Apis::check(&config, &mut mistakes);
    let mut seen = HashSet::new();
    for (what, name) in names(&config) {
        mistakes.unless(
            seen.insert((what, name)),
            format_args!("{what} {name:?} appears twice"),
        );
    }
    let checked = Checked {
        listen: config.listen,
        root: config.root,
        put_latency: Duration::from_millis(config.put_latency_ms),
        control_token: config.control_token,
        identities: config
            .identities
            .into_iter()
            .map(|raw| identity(raw, &config.account_id, &mut mistakes))
            .collect(),
        buckets: config
            .buckets
            .into_iter()
            .map(|raw| bucket(raw, &apis, &mut mistakes))
            .collect(),
        region: config.region,
        account: config.account_id,
    };
    mistakes.into_result()?;
    Ok(checked)
}

/// Returns the names that must be unique, each with what it names.
fn names(config: &Config) -> impl Iterator<Item = (&'static str, &str)> {
    let buckets = config
        .buckets
        .iter()
        .map(|bucket| ("bucket", bucket.name.as_str()));
    let keys = config
        .identities
        .iter()
        .map(|identity| identity.access_key_id.as_str());
    buckets.chain(keys.map(|key| ("access_key_id", key)))
}

fn identity(raw: IdentityConfig, account: &str, mistakes: &mut ConfigErrors) -> Identity {
    mistakes.unless(
        !raw.access_key_id.is_empty(),
        format_args!("role {:?}: access_key_id is empty", raw.role),
    );
    mistakes.unless(
        !raw.secret_access_key.expose().is_empty(),
        format_args!("role {:?}: secret_access_key is empty", raw.role),
    );
    let policies = raw
        .policies
        .iter()
        .filter_map(|file| policy(file, Policy::of_identity, mistakes));
    Identity {
        policies: policies.collect(),
        principal: Principal::role(account, &raw.role),
        access_key_id: raw.access_key_id,
        secret_access_key: raw.secret_access_key,
        role: raw.role,
        admin: raw.admin,
    }
}

fn bucket(raw: BucketConfig, apis: &Apis, mistakes: &mut ConfigErrors) -> CheckedBucket {
    mistakes.unless(
        s3s::path::check_bucket_name(&raw.name),
        format_args!("bucket {:?}: not a valid bucket name", raw.name),
    );
    let rules = raw
        .notifications
        .into_iter()
        .filter_map(|rule| notification(rule, apis, mistakes));
    CheckedBucket {
        rules: rules.collect(),
        object_lock: raw.object_lock,
        policy: raw
            .policy
            .and_then(|file| policy(&file, Policy::of_resource, mistakes)),
        name: raw.name,
    }
}

fn notification(raw: NotificationConfig, apis: &Apis, mistakes: &mut ConfigErrors) -> Option<Rule> {
    let destination = apis.destination(&raw, mistakes);
    let id = raw.id;
    mistakes.unless(
        !raw.events.is_empty(),
        format_args!("notification {id:?}: events is empty"),
    );
    let mut events = Vec::new();
    for name in &raw.events {
        match EventName::selected_by(name) {
            Some(selected) => events.extend(selected),
            None => mistakes.add(format_args!(
                "notification {id:?}: the lab does not support the event {name:?}"
            )),
        }
    }
    Some(Rule {
        id,
        prefix: raw.prefix,
        suffix: raw.suffix,
        events,
        destination: destination?,
    })
}

fn policy(
    file: &Path,
    parse: fn(&[u8]) -> Result<Policy, PolicyError>,
    mistakes: &mut ConfigErrors,
) -> Option<Policy> {
    match Policy::load(file, parse) {
        Ok(policy) => Some(policy),
        Err(error) => {
            mistakes.add(error);
            None
        }
    }
}

fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
