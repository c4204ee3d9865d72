//! The lab's SQS: the dead-letter queue, and the event queue in a lab that uses one.

use serde_json::json;

use super::{ConfigFile, Part, PartName, caller};
use crate::lab::{ACCOUNT_ID, DEAD_LETTER_QUEUE, Lab, QUEUE, REGION};

/// AWS requires six times the function's timeout. Here failed events come back sooner, so that one can watch.
const VISIBILITY_SECONDS: u32 = 65;

/// Number of receives after which an event is a dead letter.
const RECEIVES_MAX: u32 = 5;

/// Fourteen days, the longest that SQS keeps a message.
const RETENTION_SECONDS: u32 = 1_209_600;

pub fn part(lab: &Lab) -> Part {
    let config = ConfigFile {
        path: lab.dir.config("sqs.json"),
        content: config(lab).to_string(),
    };
    Part::lab_server(PartName::Sqs, lab.address(PartName::Sqs), config, lab)
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
        "access_key_ids": [keys.operator.id],
        "callers": [caller::s3(lab), caller::function(lab)],
        "control_token": lab.credentials.control,
        "queues": [
            {
                "name": QUEUE,
                "policy": lab.policy("queue-policy.json"),
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
