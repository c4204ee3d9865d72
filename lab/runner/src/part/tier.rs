//! The two tiers, two of each as on AWS.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;

use super::{Part, PartName};
use crate::{
    database::User,
    lab::{BUCKET, Lab, REGION},
    process::{Launch, Output},
};

/// Time for two failed checks of the load balancer, one per second, and a margin.
const DRAIN_SECONDS: u32 = 3;

/// Time for draining, for requests in flight up to their deadline of 8 s, and a margin.
const TIMEOUT: Duration = Duration::from_secs(20);

pub fn app(name: PartName, lab: &Lab) -> Result<Part> {
    let key = &lab.credentials.aws.app_tier;
    let database = lab.database()?.route(User::Reader);
    let mut env = BTreeMap::from([
        ("LOG_BUCKET", BUCKET.to_owned()),
        ("LOG_LAYOUT", lab.settings.log_layout.as_str().to_owned()),
        ("DATABASE_URL", database.expose().to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ENDPOINT_URL_S3", lab.s3_endpoint()),
        ("AWS_ACCESS_KEY_ID", key.id.clone()),
        ("AWS_SECRET_ACCESS_KEY", key.secret.expose().to_owned()),
    ]);
    if let Some(bundle) = lab.ca_bundle() {
        env.insert("DB_CA_BUNDLE", bundle);
    }
    part(name, "app-tier", lab, env)
}

pub fn web(name: PartName, lab: &Lab) -> Result<Part> {
    let mut env = BTreeMap::from([("APP_TIER_URL", lab.app_tier_url())]);
    if let Some(files) = lab.tls() {
        env.insert("APP_TIER_CA_FILE", files.ca.display().to_string());
    }
    if let Some(clients) = &lab.settings.clients {
        env.insert("CLIENTS_FILE", clients.display().to_string());
    }
    part(name, "web-tier", lab, env)
}

fn part(
    name: PartName,
    program: &str,
    lab: &Lab,
    mut env: BTreeMap<&'static str, String>,
) -> Result<Part> {
    let address = lab.address(name);
    env.insert("LISTEN_ADDR", lab.listens(name).to_string());
    env.insert("ADMIN_LISTEN_ADDR", lab.admin_address(name).to_string());
    env.insert("DRAIN_SECONDS", DRAIN_SECONDS.to_string());
    env.insert("RUST_LOG", "info".to_owned());
    if let Some(files) = lab.tls() {
        for variable in ["TLS_CERT_FILE", "TLS_KEY_FILE"] {
            env.insert(variable, files.servers.display().to_string());
        }
    }
    Ok(Part {
        name,
        about: program.to_owned(),
        address,
        files: Vec::new(),
        launch: Launch {
            program: lab.workspace.program(program),
            args: Vec::new(),
            env,
            output: Output::File,
        },
        health: lab.health(name, "/health")?,
        stop_timeout: TIMEOUT,
    })
}
