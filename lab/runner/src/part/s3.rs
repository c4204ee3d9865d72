//! The lab's S3, with the bucket, notifications and policies that the runbook creates on AWS.

use std::path::PathBuf;

use serde_json::json;

use super::{ConfigFile, Part, PartName, caller};
use crate::{
    lab::{ACCOUNT_ID, BUCKET, FUNCTION, Lab, QUEUE, REGION},
    state::settings::{EventRoute, LogLayout},
};

pub fn part(lab: &Lab) -> Part {
    let config = ConfigFile {
        path: lab.dir.config("s3.json"),
        content: config(lab).to_string(),
    };
    Part::lab_server(PartName::S3, lab.address(PartName::S3), config, lab)
}

fn config(lab: &Lab) -> serde_json::Value {
    let keys = &lab.credentials.aws;
    let mut config = json!({
        "listen": lab.address(PartName::S3),
        "root": lab.dir.data("s3"),
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "buckets": [{
            "name": BUCKET,
            "policy": lab.policy("bucket-policy.json"),
            "notifications": [notification(lab)],
            "object_lock": lab.settings.object_lock.then(|| json!({"mode": "GOVERNANCE", "days": 1})),
        }],
        "identities": [
            {
                "access_key_id": keys.app_tier.id,
                "secret_access_key": keys.app_tier.secret,
                "role": "EC2-S3-Access-Role",
                "policies": app_tier_policies(lab),
            },
            {
                "access_key_id": keys.lambda.id,
                "secret_access_key": keys.lambda.secret,
                "role": "Lambda-FinTech-Pipeline-Role",
                "policies": caller::function_policies(lab),
            },
            {
                "access_key_id": keys.operator.id,
                "secret_access_key": keys.operator.secret,
                "role": "operator",
                "policies": [],
                "admin": true,
            },
        ],
        "control_token": lab.credentials.control,
    });
    let credentials = json!({
        "access_key_id": keys.s3.id,
        "secret_access_key": keys.s3.secret,
    });
    let (endpoint, holder, part) = match lab.settings.via {
        EventRoute::Lambda => ("lambda_endpoint", "lambda_credentials", PartName::Lambda),
        EventRoute::Sqs => ("sqs_endpoint", "sqs_credentials", PartName::Sqs),
    };
    config[endpoint] = lab.url(part).into();
    config[holder] = credentials;
    config
}

fn notification(lab: &Lab) -> serde_json::Value {
    let mut rule = json!({
        "id": "ingest",
        "prefix": "transactions/",
        "suffix": "",
        "events": ["s3:ObjectCreated:*"],
    });
    let (member, arn) = match lab.settings.via {
        EventRoute::Lambda => (
            "function_arn",
            format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{FUNCTION}"),
        ),
        EventRoute::Sqs => (
            "queue_arn",
            format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{QUEUE}"),
        ),
    };
    rule[member] = arn.into();
    rule
}

/// The layout of one object per payment needs more: the object is read back, to distinguish a repeat from a conflict.
fn app_tier_policies(lab: &Lab) -> Vec<PathBuf> {
    let files: &[&str] = match lab.settings.log_layout {
        LogLayout::Batch => &["ec2-s3-access-role.json"],
        LogLayout::Object => &[
            "ec2-s3-access-role.json",
            "ec2-s3-access-role-object-layout.json",
        ],
    };
    files.iter().map(|file| lab.policy(file)).collect()
}
