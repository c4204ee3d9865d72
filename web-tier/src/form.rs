//! A payment from the page's plain form: the same JSON as from a program, and a page as the answer.

use axum::body::to_bytes;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use payment_core::ErrorCode;
use serde::{Deserialize, Serialize};
use tier_kit::http::{Refusal, RequestContext, media_type};

use crate::page;
use crate::upstream::Upstream;

/// For a person, who knows nothing of ids.
const NO_ANSWER: &str =
    "It is not known whether the payment was taken. Press Pay again: it is paid once.";

/// Larger than any answer of the app tier.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The form's fields. The page made the id, so that sending the form twice pays once.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    pub id: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub amount: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub currency: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub payer_name: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub transaction: String,
}

/// What the app tier says of a payment, as far as a person wants to read it.
#[derive(Debug, Default, Deserialize)]
pub struct Answer {
    #[serde(default)]
    pub received_at: String,
    #[serde(default)]
    pub detail: String,
    #[serde(default)]
    pub member: String,
    #[serde(default)]
    pub code: String,
}

pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

pub async fn pay(
    upstream: &Upstream,
    context: &RequestContext,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let fields: Fields = serde_urlencoded::from_bytes(body).map_err(|_| {
        Refusal::new(
            ErrorCode::MalformedJson,
            "send JSON with the header Content-Type: application/json; a form must be the pay page's own",
        )
    })?;
    // Strings are always JSON.
    let payment = serde_json::to_vec(&fields).unwrap_or_default();
    let (status, answer) = match upstream.process(context, None, &payment.into()).await {
        Ok(response) => read(response).await,
        Err(refusal) => {
            let status =
                StatusCode::from_u16(refusal.code.status()).unwrap_or(StatusCode::BAD_GATEWAY);
            let mut page = page::refused(
                fields,
                &Answer {
                    detail: NO_ANSWER.to_owned(),
                    ..Answer::default()
                },
            );
            *page.status_mut() = status;
            return Ok(page);
        }
    };
    let page = if status.is_success() {
        page::receipt(&fields, &answer)
    } else {
        page::refused(fields, &answer)
    };
    Ok((status, page).into_response())
}

async fn read(response: Response) -> (StatusCode, Answer) {
    let status = response.status();
    let body = to_bytes(response.into_body(), ANSWER_BYTES_MAX)
        .await
        .unwrap_or_default();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
