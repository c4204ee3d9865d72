//! The lab's Lambda, with the one function of the pipeline.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{ConfigFile, Part, PartName, caller, sqs};
use crate::{
    database::User,
    lab::{
        ACCOUNT_ID, BUCKET, DEAD_LETTER_QUEUE, FUNCTION, FUNCTION_MEMORY_MB,
        FUNCTION_TIMEOUT_SECONDS, Lab, QUEUE, REGION,
    },
    state::settings::EventRoute,
};

/// How far back the sweep looks for objects whose event was lost, in hours.
const SWEEP_HOURS: u32 = 2;

pub fn part(lab: &Lab) -> Result<Part> {
    let config = ConfigFile {
        path: lab.dir.config("lambda.json"),
        content: config(lab)?.to_string(),
    };
    let address = lab.address(PartName::Lambda);
    Ok(Part {
        // An invocation in flight may take its full timeout.
        stop_timeout: Duration::from_secs(35),
        ..Part::lab_server(PartName::Lambda, address, config, lab)
    })
}

/// Authorization header for the lab's Lambda, which checks only the key's id.
pub fn authorization(key: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20261122/{REGION}/lambda/aws4_request, \
         SignedHeaders=host, Signature=00"
    )
}

fn config(lab: &Lab) -> Result<serde_json::Value> {
    let keys = &lab.credentials.aws;
    let mut config = json!({
        "listen": lab.address(PartName::Lambda),
        "state": lab.dir.data("lambda"),
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "access_key_ids": [keys.operator.id],
        "callers": [caller::s3(lab)],
        "control_token": lab.credentials.control,
        "function": {
            "name": FUNCTION,
            "binary": lab.workspace.program("lambda-ingest"),
            "environment": {
                "DATABASE_URL": lab.database()?.route(User::Ingest),
                "LOG_BUCKET": BUCKET,
                "SWEEP_HOURS": SWEEP_HOURS.to_string(),
                "AWS_ENDPOINT_URL_S3": lab.s3_endpoint(),
                "AWS_ACCESS_KEY_ID": keys.lambda.id,
                "AWS_SECRET_ACCESS_KEY": keys.lambda.secret,
                "RUST_LOG": "info",
            },
            "timeout_seconds": FUNCTION_TIMEOUT_SECONDS,
            "memory_mb": FUNCTION_MEMORY_MB,
            "concurrency": 4,
            "idle_seconds": 300,
            "resource_policy": lab.policy("lambda-resource-policy.json"),
        },
        // On AWS a failed event is retried after one minute, then two; here after seconds.
        "asynchronous": {
            "max_retries": 2,
            "retry_delays_seconds": [1, 2],
            "max_age_seconds": 21_600,
        },
        "schedule": { "every_seconds": 60 },
    });
    if let Some(bundle) = lab.ca_bundle() {
        config["function"]["environment"]["DB_CA_BUNDLE"] = bundle.into();
    }
    config["dead_letter_queue"] = queue(lab, DEAD_LETTER_QUEUE);
    if lab.settings.via == EventRoute::Sqs {
        let mut source = queue(lab, QUEUE);
        source["batch_size"] = 10.into();
        source["maximum_concurrency"] = 4.into();
        source["wait_seconds"] = 5.into();
        source["report_batch_item_failures"] = true.into();
        config["event_source"] = source;
    }
    Ok(config)
}

fn queue(lab: &Lab, name: &str) -> serde_json::Value {
    let key = &lab.credentials.aws.lambda;
    json!({
        "queue_url": sqs::queue_url(lab, name),
        "endpoint": lab.url(PartName::Sqs),
        "access_key_id": key.id,
        "secret_access_key": key.secret,
    })
}
