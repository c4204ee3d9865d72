//! Who calls the lab's servers under which policies, as those servers' configurations have it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    lab::{BUCKET, Lab},
    state::settings::Via,
};

/// S3, where it calls for the bucket of the log.
pub fn s3(lab: &Lab) -> Value {
    json!({
        "access_key_id": lab.credentials.aws.s3.id,
        "service": "s3.amazonaws.com",
        "source_arn": format!("arn:aws:s3:::{BUCKET}"),
    })
}

/// The function, and Lambda where it calls as the function.
pub fn function(lab: &Lab) -> Value {
    json!({
        "access_key_id": lab.credentials.aws.lambda.id,
        "role": "Lambda-FinTech-Pipeline-Role",
        "policies": function_policies(lab),
    })
}

/// Where events go by a queue, Lambda takes them from there in the function's name.
pub fn function_policies(lab: &Lab) -> Vec<PathBuf> {
    let files: &[&str] = match lab.settings.via {
        Via::Lambda => &["lambda-fintech-pipeline-role.json"],
        Via::Sqs => &[
            "lambda-fintech-pipeline-role.json",
            "lambda-fintech-pipeline-role-sqs.json",
        ],
    };
    files.iter().map(|file| lab.policy(file)).collect()
}
