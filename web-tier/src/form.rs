//! A payment from the page's plain form: the same JSON as from a program, and a page as the answer.

use axum::extract::Extension;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use http_service::http::{Refusal, RequestContext, media_type};
use payment_core::amount::{TypedError, from_typed};
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::{Currency, ErrorCode};
use percent_encoding::percent_decode;
use serde::{Deserialize, Serialize};

use crate::answer::Accepted;
use crate::door::Admitted;
use crate::receipt;
use crate::routes::State;
use crate::upstream::IDEMPOTENT_REPLAYED;

/// Largest form that is read, in bytes: percent-encoding makes three of one, and what is too much text for a payment is
/// shown again, to be shortened.
pub const FORM_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;

/// The form's fields. The page made the id, so that sending the form twice pays once.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
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

impl Fields {
    /// The body of the payment, with the amount as the door takes it.
    pub fn body(&self) -> Result<Bytes, TypedError> {
        let payment = Self {
            amount: self.amount()?,
            ..self.clone()
        };
        // Strings are always JSON.
        Ok(serde_json::to_vec(&payment).unwrap_or_default().into())
    }

    /// The amount in the notation of JSON.
    pub fn amount(&self) -> Result<String, TypedError> {
        // What is no currency is refused by the door.
        let currency = Currency::parse(&self.currency).unwrap_or(Currency::USD);
        from_typed(&self.amount, currency)
    }
}

pub fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers)
        .is_some_and(|kind| kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// The receipt, or a refusal that carries the fields: the page that shows it has the form again, as it was filled in.
pub async fn pay(
    state: &State,
    context: &RequestContext,
    admitted: &Admitted,
    key: Option<&HeaderValue>,
    body: &Bytes,
) -> Result<Response, Refusal> {
    let fields = read_fields(body)?;
    match take(state, context, admitted, key, &fields).await {
        Ok(answer) if answer.status().is_success() => Ok(answer),
        refused => Ok((Extension(fields), refused).into_response()),
    }
}

/// The receipt, or the app tier's refusal.
async fn take(
    state: &State,
    context: &RequestContext,
    admitted: &Admitted,
    key: Option<&HeaderValue>,
    fields: &Fields,
) -> Result<Response, Refusal> {
    let payment = fields.body().map_err(|error| Refusal {
        member: Some("amount"),
        ..Refusal::new(ErrorCode::InvalidMember, error.to_string())
    })?;
    if payment.len() > BODY_BYTES_MAX {
        let detail = format!("the body must have at most {BODY_BYTES_MAX} bytes");
        return Err(Refusal::new(ErrorCode::BodyTooLarge, detail));
    }
    let answer = state
        .upstream
        .process(context, admitted.client(), key, &payment)
        .await?;
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let (head, body) = answer.into_parts();
    let accepted = Accepted::read(body, &fields.id).await?;
    let is_repeat = head.headers.contains_key(IDEMPOTENT_REPLAYED);
    let receipt = receipt::accepted(fields, &accepted, is_repeat);
    Ok((head.status, receipt).into_response())
}

/// The decoder of forms would put U+FFFD for what is no UTF-8, and the payment would not say what the payer said.
fn read_fields(body: &[u8]) -> Result<Fields, Refusal> {
    let refused = |detail| Refusal::new(ErrorCode::MalformedJson, detail);
    if percent_decode(body).decode_utf8().is_err() {
        return Err(refused(
            "the form is not UTF-8; send it as UTF-8, as the pay page does",
        ));
    }
    serde_urlencoded::from_bytes(body).map_err(|_| {
        refused("send JSON with the header Content-Type: application/json; a form must be the pay page's own")
    })
}

/// The table of examples that the door, the reader and the page's script are held to as well.
#[cfg(test)]
mod tests {
    use payment_core::{Draft, PaymentError};
    use serde_json::Value;

    use super::*;

    fn examples(of: &str) -> Vec<Value> {
        const TABLE: &str = include_str!("../../crates/payment-core/tests/examples.json");
        let table: Value = serde_json::from_str(TABLE).unwrap();
        table[of].as_array().unwrap().clone()
    }

    /// The amount that the door takes of a form with these fields.
    fn paid(fields: &[(&str, &str)]) -> Result<Option<String>, Option<PaymentError>> {
        let form = serde_urlencoded::to_string([&[("id", "a")], fields].concat()).unwrap();
        let fields = read_fields(form.as_bytes()).unwrap();
        let body = fields.body().map_err(|_| None)?;
        let draft = Draft::parse(&body).map_err(Some)?;
        let payment = draft.identify(None, || unreachable!("it has an id"));
        let payment = payment.map_err(Some)?;
        Ok(payment.amount().map(|amount| amount.to_string()))
    }

    #[test]
    fn typed_amounts_mean_what_the_table_says() {
        for example in examples("amounts") {
            let [typed, currency] = ["typed", "currency"].map(|name| example[name].as_str());
            let fields = [("amount", typed.unwrap()), ("currency", currency.unwrap())];
            let paid = paid(&fields).ok().flatten();
            assert_eq!(paid.as_deref(), example["paid"].as_str(), "{example}");
        }
    }

    #[test]
    fn p8_card_numbers_of_the_table_are_refused() {
        for example in examples("cards") {
            let text = example["text"].as_str().unwrap();
            if text.chars().count() > 100 {
                continue;
            }
            let refused = paid(&[("payer_name", text)]);
            let is_card = matches!(refused, Err(Some(PaymentError::CardNumber { .. })));
            assert_eq!(is_card, example["found"].as_bool().unwrap(), "{example}");
        }
    }

    #[test]
    fn current_currencies_and_names_of_every_script_are_taken() {
        for example in examples("currencies") {
            let code = example["code"].as_str().unwrap();
            let is_taken = paid(&[("amount", "1"), ("currency", code)]).is_ok();
            assert_eq!(is_taken, example["current"].as_bool().unwrap(), "{code}");
        }
        for name in examples("names") {
            assert_eq!(paid(&[("payer_name", name.as_str().unwrap())]), Ok(None));
        }
    }
}
