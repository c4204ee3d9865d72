//! The HTTP interface of the app tier.

use std::sync::Arc;

use axum::extract::{Extension, Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{Draft, ErrorCode, PaymentId};
use payment_store::Store;
use serde::Serialize;
use tier_kit::http::{LoggedPayment, Refusal, RequestContext, read_json};
use tier_kit::server::Drain;
use uuid::Uuid;

use crate::counters::Payments;
use crate::intake::{Accepted, Intake, NotAccepted, Submission};
use crate::now;
use crate::status::{self, PaymentStatus};
use crate::ticket::Receipt;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub struct State {
    pub cards: payment_core::CardCheck,
    pub intake: Arc<Intake>,
    pub store: Option<Store>,
    pub drain: Drain,
    pub payments: Payments,
}

pub fn routes(state: State) -> Router {
    Router::new()
        .route("/process", post(process))
        .route("/process/{id}", get(find))
        .with_state(Arc::new(state))
}

/// The answer to a payment that is durable.
#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    status: &'static str,
    received_at: String,
    request_id: &'a str,
}

async fn process(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Result<Response, Refusal> {
    let key = idempotency_key(request.headers())?;
    let body = read_json(request, BODY_BYTES_MAX).await?;
    let make = || PaymentId::made_from(Uuid::now_v7());
    let draft = Draft::parse_with(&body, &state.cards)?;
    let payment = draft.identify_with(key.as_deref(), make, &state.cards)?;
    let id = payment.id().clone();
    let receipt = Receipt {
        received_at: now(),
        request_id: context.request_id,
    };
    match state
        .intake
        .accept(Submission {
            payment,
            receipt,
            traceparent: Some(context.traceparent),
        })
        .await
    {
        Ok(accepted) => {
            state.payments.count(accepted.replayed);
            Ok(answer(&id, &accepted))
        }
        Err(reason) => Err(refuse(&reason, state.drain.is_draining())),
    }
}

fn answer(id: &PaymentId, accepted: &Accepted) -> Response {
    let receipt = &accepted.receipt;
    let body = Json(Answer {
        id: id.as_str(),
        status: "accepted",
        received_at: receipt.received_at.to_string(),
        request_id: receipt.request_id.as_str(),
    });
    let status = if accepted.replayed {
        StatusCode::OK
    } else {
        StatusCode::ACCEPTED
    };
    let mut response = (status, Extension(LoggedPayment(id.clone())), body).into_response();
    if accepted.replayed {
        response
            .headers_mut()
            .insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    }
    // An id's characters are all allowed in a header and in a path.
    if let Ok(location) = HeaderValue::try_from(format!("/pay/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

fn refuse(reason: &NotAccepted, draining: bool) -> Refusal {
    const AGAIN: &str = "it was not confirmed; send it again in a moment, under the same id";
    let code = match reason {
        NotAccepted::Conflict => {
            return Refusal::new(
                ErrorCode::IdConflict,
                "another payment has this id; give this one an id of its own",
            );
        }
        _ if draining => ErrorCode::Draining,
        NotAccepted::QueueFull => ErrorCode::Overloaded,
        NotAccepted::Unconfirmed | NotAccepted::StorageAway => ErrorCode::StorageUnavailable,
    };
    Refusal::new(code, AGAIN).because(reason.to_string())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = value
        .to_str()
        .map_err(|_| payment_core::PaymentError::IdempotencyKey)?;
    Ok(Some(text.to_owned()))
}

async fn find(
    state: axum::extract::State<Arc<State>>,
    Path(id): Path<String>,
) -> Result<Json<PaymentStatus>, Refusal> {
    let id = PaymentId::parse_with(&id, &state.cards)
        .ok_or_else(|| Refusal::new(ErrorCode::NotFound, "this can't be a payment's id"))?;
    Ok(Json(
        status::find(&id, state.store.as_ref(), &state.intake).await?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p5_what_is_not_accepted_has_its_code_and_a_time_to_come_again() {
        for (reason, code) in [
            (NotAccepted::QueueFull, ErrorCode::Overloaded),
            (NotAccepted::StorageAway, ErrorCode::StorageUnavailable),
            (NotAccepted::Unconfirmed, ErrorCode::StorageUnavailable),
        ] {
            assert_eq!(refuse(&reason, false).code, code);
            assert_eq!(refuse(&reason, true).code, ErrorCode::Draining);
            assert_eq!(code.retry_after_seconds(), Some(1));
        }
        let conflict = refuse(&NotAccepted::Conflict, true).code;
        assert_eq!(conflict, ErrorCode::IdConflict);
    }
}
