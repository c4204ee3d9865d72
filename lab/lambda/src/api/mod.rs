//! The HTTP interface: Lambda's API for one function, and the lab's own API under `/_lab/`.
//!
//! Every request needs an Authorization header in Signature Version 4 format with a configured access key id, except
//! the health check and the faults, which have a token of their own. The id is the secret here, since signatures are
//! not verified: a random id keeps out other users of the machine, and web pages, which cannot send that header to
//! another origin. This is not enough on a network, so the host listens on loopback only.

mod error;
mod function;
mod invoke;
mod lab;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{StatusCode, Uri, header};
use serde::Serialize;
use server_kit::fault::{self, Faults};

use crate::access::Access;
use crate::function::Function;
use crate::queue::Queue;
use crate::status::Board;
use error::ApiError;

/// What the handlers share.
#[derive(Debug, Clone)]
pub struct Api {
    pub access: Arc<Access>,
    pub function: Arc<Function>,
    pub queue: Arc<Queue>,
    pub board: Arc<Board>,
    pub faults: Arc<Faults>,
}

/// Builds the router with every route.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/2015-03-31/functions", get(function::list))
        .route("/2015-03-31/functions/", get(function::list))
        .route("/2015-03-31/functions/{name}", get(function::get))
        .route(
            "/2015-03-31/functions/{name}/invocations",
            post(invoke::invoke),
        )
        .route("/_lab/status", get(lab::status))
        .route("/_lab/dead-letters", get(lab::dead_letters))
        .route("/_lab/dead-letters/{id}/redrive", post(lab::redrive))
        .fallback(unknown)
        .layer(from_fn_with_state(api.clone(), authorize))
        .route("/_lab/health", get(async || "OK"))
        // These require a token of their own.
        .route(fault::PATH, any(lab::faults))
        .route(&format!("{}/{{kind}}", fault::PATH), any(lab::faults))
        .with_state(api)
}

async fn authorize(State(api): State<Api>, request: Request, next: Next) -> Response {
    match check(&api, &request) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(api: &Api, request: &Request) -> Result<(), ApiError> {
    let caller = api.access.callers.admit(request.headers())?;
    let function = api.function.arn().to_string();
    Ok(api
        .access
        .authorize(&caller, request.uri().path(), &function)?)
}

async fn unknown(uri: Uri) -> ApiError {
    ApiError::UnknownOperation {
        path: uri.path().to_owned(),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(body) => (status, [(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => ApiError::Service {
            reason: error.to_string(),
        }
        .into_response(),
    }
}
