//! The HTTP interface of the web tier.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, StatusCode, Uri};
use http_service::http::{
    LoggedPayment, PathId, Refusal, RequestContext, idempotency_key, read_body, read_json,
};
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{CardCheck, ErrorCode, PaymentId};
use tokio::time::timeout;

use crate::accept::prefers_html;
use crate::origin::refuse_other_sites;
use crate::upstream::Upstream;
use crate::{address, api, assets, form, page, receipt};

/// Where it is asked what became of a payment.
pub const STATUS: &str = "/pay/{id}";

/// Longest wait of the form for whether it was sent before.
const LOOK_UP: Duration = Duration::from_millis(500);

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

/// The form, under the id in its address. A payment that was made under it is shown in its place.
async fn pay_page(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    uri: Uri,
) -> Response {
    let Some(id) = address::id_in_query(&uri, &state.cards) else {
        return see(address::form(&address::new_id()));
    };
    match look_for(&state, &context, &id).await {
        Sent::Known => see(address::receipt(&id)),
        // Whoever comes first, while nothing can be asked, sent nothing.
        Sent::Perhaps(answer) if !address::is_new(&id) => page::unsure(&id, answer, &state.cards),
        Sent::Perhaps(_) | Sent::NotKnown => page::form(&id, &state.cards),
    }
}

/// Whether a payment was sent under an id.
enum Sent {
    /// The app tier knows none now.
    NotKnown,
    /// The app tier could not be asked.
    Perhaps(ErrorCode),
    Known,
}

async fn look_for(state: &State, context: &RequestContext, id: &PaymentId) -> Sent {
    let asked = timeout(LOOK_UP, state.upstream.status_now(context, id)).await;
    let status = match asked {
        Ok(Ok(answer)) => answer.status(),
        Ok(Err(refusal)) => return Sent::Perhaps(refusal.code),
        Err(_) => return Sent::Perhaps(ErrorCode::UpstreamTimeout),
    };
    match status {
        StatusCode::NOT_FOUND => Sent::NotKnown,
        status if status.is_success() => Sent::Known,
        _ => Sent::Perhaps(ErrorCode::StatusUnavailable),
    }
}

/// Sends the browser to another page of this server.
fn see(address: String) -> Response {
    let headers = [(LOCATION, address), (CACHE_CONTROL, "no-store".to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// A payment as JSON from a program, or as a form from the pay page.
async fn pay(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_other_sites(request.headers())?;
    if form::is_form(request.headers()) {
        let body = read_body(request, form::FORM_BYTES_MAX).await?;
        return form::pay(&state, &context, &body).await;
    }
    let key = idempotency_key(request.headers())?.cloned();
    let body = read_json(request, BODY_BYTES_MAX).await?;
    state.upstream.process(&context, key.as_ref(), &body).await
}

/// What is known of a payment: a page for people, JSON for programs. No cache keeps it, since it changes.
async fn find(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    id: PathId,
) -> Response {
    let answer = look_up(&state, &context, id, prefers_html(&headers)).await;
    let headers = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (VARY, "Accept"),
    ];
    (headers, answer).into_response()
}

async fn look_up(
    state: &State,
    context: &RequestContext,
    id: PathId,
    for_a_person: bool,
) -> Result<Response, Refusal> {
    let id = id.parse(&state.cards)?;
    let mut answer = state.upstream.status(context, &id).await?;
    if for_a_person && answer.status().is_success() {
        answer = receipt::found(&id, answer).await?;
    }
    Ok((Extension(LoggedPayment(id)), answer).into_response())
}
