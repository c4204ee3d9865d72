//! The environment variables that Lambda sets for a function.

use std::env;
use std::net::SocketAddr;

use super::Blueprint;
use crate::arn::LATEST;

/// Returns all variables of the process: Lambda's own, the configured ones, and of this host's only `PATH`.
pub fn of(blueprint: &Blueprint, runtime_api: SocketAddr, stream: &str) -> Vec<(String, String)> {
    let function = &blueprint.function;
    let root = blueprint.task_root().display().to_string();
    let lambdas = [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", LATEST.to_owned()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            function.memory_mb.to_string(),
        ),
        (
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", function.name),
        ),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.to_owned()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
        ("AWS_REGION", blueprint.region.clone()),
        ("AWS_DEFAULT_REGION", blueprint.region.clone()),
        ("LAMBDA_TASK_ROOT", root),
        ("_HANDLER", "bootstrap".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("PATH", env::var("PATH").unwrap_or_default()),
    ];
    let lambdas = lambdas
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    let own = function
        .environment
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    lambdas.chain(own).collect()
}
