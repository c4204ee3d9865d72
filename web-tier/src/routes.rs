//! The HTTP interface of the web tier.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{CardCheck, ErrorCode, PaymentId};
use tier_kit::http::{LoggedPayment, Refusal, RequestContext, read_body, read_json};

use crate::upstream::{IDEMPOTENCY_KEY, Upstream};
use crate::{api, assets, form, page};

pub struct State {
    pub upstream: Arc<Upstream>,
    pub cards: CardCheck,
}

pub fn routes(state: State) -> Router {
    Router::new()
        .route("/", get(pay_page))
        .route("/pay", get(pay_page).post(pay))
        .route("/pay/{id}", get(find))
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
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    let body = read_json(request, BODY_BYTES_MAX).await?;
    state.upstream.process(&context, key.as_ref(), &body).await
}

/// What is known of a payment.
async fn find(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let id = PaymentId::parse_with(&id, &state.cards)
        .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "this can't be a payment's id"))?;
    let answer = state.upstream.status(&context, &id).await?;
    Ok((Extension(LoggedPayment(id)), answer).into_response())
}
