//! What S3 allows a role: tested from inside a host of the role, with its key.

use anyhow::{Context as _, Result};
use aws_model::network::Name;
use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region},
    types::ServerSideEncryption,
};
use serde::{Deserialize, Serialize};
use tokio::process::Command;
use uuid::Uuid;

use crate::{
    lab::{BUCKET, Lab, REGION},
    part::PartName,
    state::credentials::AccessKey,
    vpc::{Vpc, hosts_of},
};

/// A prefix that no role may use.
const ELSEWHERE: &str = "elsewhere/";

/// A role's permissions.
#[derive(Debug)]
pub struct Role {
    pub tier: Name,
    /// Allowed actions on its prefix, such as `put`.
    pub actions: Vec<Name>,
    /// What it may do besides, one per line.
    pub beyond: Vec<String>,
}

/// Results of trying all actions.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Tried {
    allowed: Vec<Name>,
    elsewhere: Vec<Name>,
}

/// Tests the key of each role, from a host that has it.
pub async fn try_roles(vpc: &Vpc, lab: &Lab) -> Result<Vec<Role>> {
    let keys = &lab.credentials.aws;
    let mut roles = Vec::new();
    for (part, key) in [
        (PartName::AppA, &keys.app_tier),
        (PartName::Lambda, &keys.lambda),
    ] {
        let host = hosts_of(part)
            .first()
            .and_then(|name| vpc.network.host(name));
        if let Some(host) = host {
            let tried = try_from(vpc, lab, host.name.as_str(), key).await?;
            let beyond = tried.elsewhere.iter();
            roles.push(Role {
                tier: host.tier.clone(),
                beyond: beyond
                    .map(|action| format!("{} may {action} outside its prefix in S3", host.tier))
                    .collect(),
                actions: tried.allowed,
            });
        }
    }
    Ok(roles)
}

/// Runs the tests in a separate process, which enters the host's namespace.
async fn try_from(vpc: &Vpc, lab: &Lab, host: &str, key: &AccessKey) -> Result<Tried> {
    let namespace = vpc.namespace(host);
    let program = lab.workspace.lab();
    let output = Command::new(program)
        .args(["enter", &namespace, "--"])
        .arg(program)
        .args(["try-s3", &lab.s3_endpoint()])
        .env("AWS_ACCESS_KEY_ID", &key.id)
        .env("AWS_SECRET_ACCESS_KEY", key.secret.expose())
        .output()
        .await
        .with_context(|| format!("cannot enter the namespace {namespace}"))?;
    // A process that failed early printed nothing.
    Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
}

/// `cargo lab try-s3`: returns what was allowed, as JSON.
pub async fn tried(endpoint: &str) -> String {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID"),
        variable("AWS_SECRET_ACCESS_KEY"),
        None,
        None,
        "reach",
    );
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(REGION))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(credentials)
        .build();
    let client = Client::from_conf(config);
    let tried = Tried {
        allowed: allowed(&client, "transactions/").await,
        elsewhere: allowed(&client, ELSEWHERE).await,
    };
    // Plain data: the fallback is never reached.
    serde_json::to_string(&tried).unwrap_or_default()
}

/// Tries all actions. Puts an empty object, in which the function finds no lines.
async fn allowed(client: &Client, prefix: &str) -> Vec<Name> {
    let key = format!("{prefix}reach-{}.ndjson", Uuid::new_v4());
    let put = client
        .put_object()
        .bucket(BUCKET)
        .key(&key)
        .if_none_match("*")
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await;
    let get = client.get_object().bucket(BUCKET).key(&key).send().await;
    // A role that may read gets 404, one that may not gets 403.
    let may_get = match &get {
        Ok(_) => true,
        Err(error) => error
            .as_service_error()
            .is_some_and(aws_sdk_s3::operation::get_object::GetObjectError::is_no_such_key),
    };
    let list = client
        .list_objects_v2()
        .bucket(BUCKET)
        .prefix(prefix)
        .max_keys(1)
        .send()
        .await;
    let delete = client.delete_object().bucket(BUCKET).key(&key).send().await;
    let all = [
        ("put", put.is_ok()),
        ("get", may_get),
        ("list", list.is_ok()),
        ("delete", delete.is_ok()),
    ];
    all.into_iter()
        .filter(|(_, is_allowed)| *is_allowed)
        .filter_map(|(action, _)| Name::try_from(action.to_owned()).ok())
        .collect()
}
