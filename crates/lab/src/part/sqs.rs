//! The lab's SQS: the queue of dead letters, and the queue of events in a lab that has them go by one.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use super::{ConfigFile, Part, PartName};
use crate::{
    health::Health,
    lab::{ACCOUNT_ID, DEAD_LETTER_QUEUE, Lab, QUEUE, REGION},
    process::{Launch, Output},
};

/// AWS asks for six times the function's timeout. Here a failed event comes again sooner, so that one can watch.
const VISIBILITY_SECONDS: u32 = 65;

/// Receives before an event is a dead letter.
const RECEIVES_MAX: u32 = 5;

/// Fourteen days, the longest that SQS keeps a message.
const RETENTION_SECONDS: u32 = 1_209_600;

pub fn part(lab: &Lab) -> Part {
    let path = lab.dir.config("sqs.json");
    Part {
        name: PartName::Sqs,
        about: "lab-sqs".to_owned(),
        address: lab.address(PartName::Sqs),
        launch: Launch {
            program: lab.workspace.program("lab-sqs"),
            args: vec!["--config".into(), path.clone().into()],
            env: BTreeMap::from([("RUST_LOG", "info".to_owned())]),
            output: Output::File,
        },
        files: vec![ConfigFile {
            path,
            content: config(lab).to_string(),
        }],
        health: Health::Http {
            path: "/_lab/health",
        },
        patience: Duration::from_secs(10),
    }
}

pub fn queue_url(lab: &Lab, queue: &str) -> String {
    format!("{}/{ACCOUNT_ID}/{queue}", lab.url(PartName::Sqs))
}

fn config(lab: &Lab) -> serde_json::Value {
    let keys = &lab.credentials.aws;
    json!({
        "listen": lab.address(PartName::Sqs),
        "root": lab.dir.data("sqs"),
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "access_key_ids": [keys.s3.id, keys.lambda.id, keys.operator.id],
        "control_token": lab.credentials.control,
        "queues": [
            {
                "name": QUEUE,
                "visibility_timeout_seconds": VISIBILITY_SECONDS,
                "retention_seconds": RETENTION_SECONDS,
                "redrive": {
                    "dead_letter_queue": DEAD_LETTER_QUEUE,
                    "max_receive_count": RECEIVES_MAX,
                },
            },
            {
                "name": DEAD_LETTER_QUEUE,
                "visibility_timeout_seconds": VISIBILITY_SECONDS,
                "retention_seconds": RETENTION_SECONDS,
            },
        ],
    })
}
