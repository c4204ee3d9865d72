//! The HTTP interface of the web tier.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Extension, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, LOCATION, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderMap, StatusCode};
use http_service::http::{
    Batches, LoggedBatch, LoggedPayment, PathId, Refusal, RequestContext, idempotency_key,
    is_batch, read_body, read_json,
};
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{CardCheck, ErrorCode, PaymentId};
use tokio::time::timeout;

use crate::accept::prefers_html;
use crate::door::{Admitted, Denied, Door};
use crate::origin::refuse_other_sites;
use crate::upstream::{BatchAnswer, Upstream};
use crate::{address, api, assets, form, page, receipt};

/// Path of a payment's status.
pub const STATUS: &str = "/pay/{id}";

/// Longest wait of the form for whether it was sent before.
const LOOK_UP: Duration = Duration::from_millis(500);

pub struct State {
    pub upstream: Upstream,
    pub door: Arc<Door>,
    pub batches: Batches,
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
    request: Request,
) -> Response {
    let Some(id) = address::id_in_query(request.uri(), &state.cards) else {
        return see(address::form(&address::new_id()));
    };
    match look_for(&state, &context, request.headers(), &id).await {
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

async fn look_for(
    state: &State,
    context: &RequestContext,
    headers: &HeaderMap,
    id: &PaymentId,
) -> Sent {
    let page = match state.door.admit_page(context, headers) {
        Ok(Some(page)) => page,
        // Nothing that was sent from here can have been taken.
        Ok(None) => return Sent::NotKnown,
        Err(_) => return Sent::Perhaps(ErrorCode::RateLimited),
    };
    let asked = state.upstream.status_now(context, page.client(), id);
    let status = match timeout(LOOK_UP, asked).await {
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

/// A payment, of whoever may make one.
async fn pay(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Response {
    if let Err(refusal) = refuse_other_sites(request.headers()) {
        return refusal.into_response();
    }
    match state.door.admit(&context, &request) {
        Ok(admitted) if is_batch(request.headers()) => {
            let answer = take_batch(&state, &context, admitted, request).await;
            answer.into_response()
        }
        Ok(admitted) => take(&state, &context, &admitted, request)
            .await
            .into_response(),
        Err(denied) => denied.into_response(),
    }
}

/// A payment as JSON from a program, or as a form from the pay page.
async fn take(
    state: &State,
    context: &RequestContext,
    admitted: &Admitted,
    request: Request,
) -> Result<Response, Stopped> {
    let key = idempotency_key(request.headers())?.cloned();
    if form::is_form(request.headers()) {
        let body = read_body(request, form::FORM_BYTES_MAX).await?;
        admitted.check(&body)?;
        return Ok(form::pay(state, context, admitted, key.as_ref(), &body).await?);
    }
    let body = read_json(request, BODY_BYTES_MAX).await?;
    admitted.check(&body)?;
    let client = admitted.client();
    Ok(state
        .upstream
        .process(context, client, key.as_ref(), &body)
        .await?)
}

/// Many payments of a program.
async fn take_batch(
    state: &State,
    context: &RequestContext,
    mut admitted: Admitted,
    request: Request,
) -> Result<Response, Stopped> {
    let batch = state.batches.read(request).await?;
    admitted.check(&batch.body)?;
    state.door.admit_batch(&mut admitted, batch.payments)?;
    let answer = state
        .upstream
        .process_batch(context, admitted.client(), &batch.body)
        .await?;
    Ok(match answer {
        BatchAnswer::Refused(problem) => problem,
        BatchAnswer::Lines { lines, accepted } => {
            let logged = LoggedBatch {
                payments: batch.payments.get(),
                accepted,
            };
            (Extension(logged), batch.answer(lines)).into_response()
        }
    })
}

/// Why a request goes no further.
enum Stopped {
    Denied(Denied),
    Refused(Refusal),
}

impl From<Denied> for Stopped {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<Refusal> for Stopped {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl IntoResponse for Stopped {
    fn into_response(self) -> Response {
        match self {
            Self::Denied(denied) => denied.into_response(),
            Self::Refused(refusal) => refusal.into_response(),
        }
    }
}

/// What is known of a payment: a page for people, JSON for programs. No cache keeps it, since it changes.
async fn find(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    id: PathId,
    request: Request,
) -> Response {
    let admitted = match state.door.admit(&context, &request) {
        Ok(admitted) => admitted,
        Err(denied) => return denied.into_response(),
    };
    let for_a_person = prefers_html(request.headers());
    let answer = look_up(&state, &context, &admitted, id, for_a_person).await;
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
    admitted: &Admitted,
    id: PathId,
    for_a_person: bool,
) -> Result<Response, Refusal> {
    let id = id.parse(&state.cards)?;
    let mut answer = state
        .upstream
        .status(context, admitted.client(), &id)
        .await?;
    if for_a_person && answer.status().is_success() {
        answer = receipt::found(&id, answer).await?;
    }
    Ok((Extension(LoggedPayment(id)), answer).into_response())
}
