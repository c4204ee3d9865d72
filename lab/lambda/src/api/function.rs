//! `GetFunction` and `ListFunctions`: what this host can truthfully report about its function.

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};

use super::error::ApiError;
use super::{Api, json as json_response};
use crate::arn::LATEST;

pub async fn get(State(api): State<Api>, Path(name): Path<String>) -> Result<Response, ApiError> {
    find(&api, &name)?;
    let body = json!({
        "Configuration": configuration(&api),
        "Concurrency": {"ReservedConcurrentExecutions": api.function.config().concurrency},
    });
    Ok(json_response(StatusCode::OK, &body))
}

pub async fn list(State(api): State<Api>) -> Response {
    json_response(StatusCode::OK, &json!({"Functions": [configuration(&api)]}))
}

/// Finds the one function; any other name is an error.
pub fn find(api: &Api, name: &str) -> Result<(), ApiError> {
    let arn = api.function.arn();
    if arn.is_meant_by(name) {
        return Ok(());
    }
    Err(ApiError::FunctionNotFound {
        arn: arn.of_other(name),
    })
}

/// Returns the configuration without the environment, whose values are secrets.
fn configuration(api: &Api) -> Value {
    let function = api.function.config();
    json!({
        "FunctionName": function.name,
        "FunctionArn": api.function.arn().to_string(),
        "Runtime": "provided.al2023",
        "Handler": "bootstrap",
        "PackageType": "Zip",
        "State": "Active",
        "Timeout": function.timeout_seconds,
        "MemorySize": function.memory_mb,
        "Version": LATEST,
    })
}
