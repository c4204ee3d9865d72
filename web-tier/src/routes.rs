//! The HTTP interface of the web tier.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_service::http::{
    LoggedPayment, PathId, Refusal, RequestContext, idempotency_key, read_body, read_json,
};
use payment_core::CardCheck;
use payment_core::payment::BODY_BYTES_MAX;

use crate::upstream::Upstream;
use crate::{api, assets, form, page};

/// Where it is asked what became of a payment.
pub const STATUS: &str = "/pay/{id}";

pub struct State {
    pub upstream: Arc<Upstream>,
    pub cards: CardCheck,
}

pub fn routes(state: State) -> Router {
    Router::new()
        .route("/", get(pay_page))
        .route("/pay", get(pay_page).post(pay))
        .route(STATUS, get(find))
        .route("/assets/{version}/{name}", get(assets::get))
        .route("/openapi.json", get(api::json))
        .route("/docs", get(api::page))
        .with_state(Arc::new(state))
}

async fn pay_page(state: axum::extract::State<Arc<State>>) -> Response {
    page::pay(&state.cards)
}

/// A payment as JSON from a program, or as a form from the pay page.
async fn pay(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Result<Response, Refusal> {
    if form::is_form(request.headers()) {
        let body = read_body(request, BODY_BYTES_MAX).await?;
        return form::pay(&state, &context, &body).await;
    }
    let key = idempotency_key(request.headers())?.cloned();
    let body = read_json(request, BODY_BYTES_MAX).await?;
    state.upstream.process(&context, key.as_ref(), &body).await
}

/// What is known of a payment.
async fn find(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    id: PathId,
) -> Result<Response, Refusal> {
    let id = id.parse(&state.cards)?;
    let answer = state.upstream.status(&context, &id).await?;
    Ok((Extension(LoggedPayment(id)), answer).into_response())
}
