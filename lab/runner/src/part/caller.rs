//! Callers of the lab's servers and their policies, in the servers' configuration format.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::{
    lab::{BUCKET, Lab},
    state::settings::EventRoute,
};

/// S3 when it calls on behalf of the journal's bucket.
pub fn s3(lab: &Lab) -> Value {
    json!({
        "access_key_id": lab.credentials.aws.s3.id,
        "service": "s3.amazonaws.com",
        "source_arn": format!("arn:aws:s3:::{BUCKET}"),
    })
}

/// The function, and Lambda when it calls as the function.
pub fn function(lab: &Lab) -> Value {
    json!({
        "access_key_id": lab.credentials.aws.lambda.id,
        "role": "Lambda-FinTech-Pipeline-Role",
        "policies": function_policies(lab),
    })
}

/// Returns the policies of the function's role. With a queue, Lambda receives events from it in the function's name.
pub fn function_policies(lab: &Lab) -> Vec<PathBuf> {
    let files: &[&str] = match lab.settings.via {
        EventRoute::Lambda => &["lambda-fintech-pipeline-role.json"],
        EventRoute::Sqs => &[
            "lambda-fintech-pipeline-role.json",
            "lambda-fintech-pipeline-role-sqs.json",
        ],
    };
    files.iter().map(|file| lab.policy(file)).collect()
}
