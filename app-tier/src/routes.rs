//! The HTTP interface of the app tier.

use std::sync::Arc;

use axum::extract::{Extension, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::header::{HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use http_service::http::{
    AT_ONCE, Batches, LoggedPayment, PathId, Refusal, RequestContext, client_name, idempotency_key,
    is_batch, read_json,
};
use http_service::server::Drain;
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{ClientName, Draft, ErrorCode, Payment, PaymentId, PaymentKey, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::batch;
use crate::counters::BatchRefused;
use crate::intake::{Accepted, Intake, NotAccepted, Submission};
use crate::now;
use crate::rows::Rows;
use crate::status::{self, PaymentStatus};
use crate::ticket::Receipt;

const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Path of a payment's status.
pub const STATUS: &str = "/process/{id}";

pub struct State {
    pub cards: payment_core::CardCheck,
    pub intake: Arc<Intake>,
    pub rows: Rows,
    pub drain: Drain,
    pub batches: Batches,
    pub(crate) batch_refused: BatchRefused,
}

pub fn routes(state: State) -> Router {
    Router::new()
        .route("/process", post(process))
        .route(STATUS, get(find))
        .with_state(Arc::new(state))
}

/// The answer to a payment that is durable.
#[derive(Serialize)]
pub struct Answer<'a> {
    /// In an answer to a batch: which line the payment was.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    id: &'a str,
    status: &'static str,
    received_at: String,
    request_id: &'a str,
    /// SHA-256 of the payment's canonical form, as the record has it.
    hash: String,
}

async fn process(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    request: Request,
) -> Result<Response, Refusal> {
    let client = client_name(request.headers())?;
    context.name_client(&client);
    if is_batch(request.headers()) {
        return batch::process(&state, &context, &client, request).await;
    }
    let key = idempotency_key(request.headers())?.cloned();
    let body = read_json(request, BODY_BYTES_MAX).await?;
    let key = key.as_ref().and_then(|key| key.to_str().ok());
    let make = || PaymentId::made_from(Uuid::now_v7());
    let draft = Draft::parse_with(&body, &state.cards)?;
    let payment = draft.identify_with(key, make, &state.cards)?;
    let id = payment.id().clone();
    let submission = submission(payment, client, &context, now());
    match state.intake.accept(submission).await {
        Ok(accepted) => Ok(answer(&id, &accepted)),
        Err(reason) => Err(refuse(reason, state.drain.is_draining())),
    }
}

impl<'a> Answer<'a> {
    pub fn new(id: &'a PaymentId, status: &'static str, accepted: &'a Accepted) -> Self {
        let receipt = &accepted.receipt;
        Self {
            line: None,
            id: id.as_str(),
            status,
            received_at: receipt.received_at.to_string(),
            request_id: receipt.request_id.as_str(),
            hash: accepted.content_hash.to_string(),
        }
    }

    pub fn of_line(self, number: usize) -> Self {
        Self {
            line: Some(number),
            ..self
        }
    }
}

/// A payment as what this request of this client brought.
pub fn submission(
    payment: Payment,
    client: ClientName,
    context: &RequestContext,
    received_at: Timestamp,
) -> Submission {
    Submission {
        payment: payment.of_client(client),
        receipt: Receipt {
            received_at,
            request_id: context.request_id.clone(),
        },
        traceparent: Some(context.traceparent.clone()),
    }
}

fn answer(id: &PaymentId, accepted: &Accepted) -> Response {
    let body = Json(Answer::new(id, "accepted", accepted));
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

pub fn refuse(reason: NotAccepted, draining: bool) -> Refusal {
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

async fn find(
    state: axum::extract::State<Arc<State>>,
    Extension(context): Extension<RequestContext>,
    headers: HeaderMap,
    uri: Uri,
    id: PathId,
) -> Result<Json<PaymentStatus>, Refusal> {
    let client = client_name(&headers)?;
    context.name_client(&client);
    let id = id.parse(&state.cards)?;
    let payment = PaymentKey { id, client };
    let State { rows, intake, .. } = &**state;
    let is_asked_at_once = uri.query() == Some(AT_ONCE);
    let found = if is_asked_at_once {
        status::find_now(&payment, rows, intake).await
    } else {
        status::find(&payment, rows, intake).await
    };
    Ok(Json(found?))
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
            assert_eq!(refuse(reason, false).code, code);
            assert_eq!(refuse(reason, true).code, ErrorCode::Draining);
            assert_eq!(code.retry_after_seconds(), Some(1));
        }
        let conflict = refuse(NotAccepted::Conflict, true).code;
        assert_eq!(conflict, ErrorCode::IdConflict);
    }
}
