//! The receipt: what the server itself said of this id, and nothing that it did not say.

use askama::Template;
use axum::response::Response;
use http_service::http::Refusal;
use payment_core::{Amount, Currency, PaymentId, PaymentState, Timestamp};

use crate::answer::{Accepted, Found};
use crate::form::Fields;
use crate::{assets, page};

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage<'a> {
    assets: &'static str,
    title: &'static str,
    /// What to know besides the title; usually empty.
    words: &'static str,
    id: &'a str,
    money: Option<Money>,
    accepted: Option<Moment>,
    recorded: Option<Moment>,
    payer_name: &'a str,
    transaction: &'a str,
    /// Whether there is more to know later.
    may_change: bool,
    may_pay_another: bool,
}

/// An amount as it is written in its currency.
#[derive(Debug, PartialEq, Eq)]
struct Money {
    number: String,
    code: &'static str,
    name: String,
}

/// A time in a format for people and one for programs.
struct Moment {
    words: String,
    rfc3339: String,
}

/// The acceptance of a form, with what was accepted. A repeat may be of what somebody else paid, who had the same
/// address.
pub fn accepted(fields: &Fields, answer: &Accepted, is_repeat: bool) -> Response {
    let amount = fields.amount().unwrap_or_default();
    let (title, words) = if is_repeat {
        (
            "Payment accepted before",
            "A payment like this was made before under this number, at the time below. Nothing more was paid.",
        )
    } else {
        ("Payment accepted", "")
    };
    page::render(&ReceiptPage {
        assets: assets::base(),
        title,
        words,
        id: &fields.id,
        money: Money::new(&amount, &fields.currency),
        accepted: Moment::new(&answer.received_at),
        recorded: None,
        payer_name: &fields.payer_name,
        transaction: &fields.transaction,
        may_change: true,
        may_pay_another: true,
    })
}

/// What is known of a payment. The payer's name is not: who guesses an id may ask.
pub async fn found(id: &PaymentId, answer: Response) -> Result<Response, Refusal> {
    let found = Found::read(answer.into_body(), id).await?;
    let (title, words) = said_of(&found);
    Ok(page::render(&ReceiptPage {
        assets: assets::base(),
        title,
        words,
        id: id.as_str(),
        money: Money::new(&found.amount, &found.currency),
        accepted: Moment::new(&found.received_at),
        recorded: Moment::new(&found.recorded_at),
        payer_name: "",
        transaction: &found.transaction,
        may_change: matches!(found.state, PaymentState::Accepted | PaymentState::Rejected),
        may_pay_another: found.state != PaymentState::Rejected,
    }))
}

fn said_of(found: &Found) -> (&'static str, &'static str) {
    let is_failed = found.status == "failed";
    match found.state {
        PaymentState::Recorded if is_failed => (
            "Failed payment recorded",
            "It came as one that failed elsewhere: it is on record, and nothing was paid.",
        ),
        PaymentState::Recorded => ("Payment recorded", ""),
        PaymentState::Accepted => (
            "Payment accepted",
            "It is stored. The amount is shown as soon as it is recorded.",
        ),
        PaymentState::Conflict if is_failed => (
            "Failed payment recorded",
            "It came as one that failed elsewhere: nothing was paid. What else came under this number was not made, either.",
        ),
        PaymentState::Conflict => (
            "One of several payments was recorded",
            "Different payments came under this number. Only the one below was made: if yours is not the same, yours was not made.",
        ),
        PaymentState::Rejected => (
            "Payment held up",
            "A fault on our side keeps it from being recorded. It is stored: do not pay again.",
        ),
    }
}

impl Money {
    /// `None` without an amount.
    fn new(amount: &str, currency: &str) -> Option<Self> {
        let currency = if currency.is_empty() {
            Currency::USD
        } else {
            Currency::from_stored(currency)?
        };
        let amount = Amount::parse(amount, currency).ok()?;
        Some(Self {
            number: grouped(&amount.to_string()),
            code: currency.code(),
            name: currency.name().to_owned(),
        })
    }
}

/// Every digit as it is, in groups of three before the point.
fn grouped(number: &str) -> String {
    let whole = number.find('.').unwrap_or(number.len());
    let mut text = String::with_capacity(number.len() + whole / 3);
    for (at, digit) in number.char_indices() {
        if at > 0 && at < whole && (whole - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Moment {
    fn new(rfc3339: &str) -> Option<Self> {
        let time = Timestamp::parse(rfc3339)?.to_utc();
        let (day, month, year) = (time.day(), time.month(), time.year());
        let (hour, minute, second) = time.to_hms();
        Some(Self {
            words: format!("{day} {month} {year}, {hour:02}:{minute:02}:{second:02} UTC"),
            rfc3339: rfc3339.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p3_an_amount_is_grouped_and_has_its_currencys_decimals() {
        for (amount, currency, expected) in [
            ("1", "USD", "1.00"),
            ("999.5", "", "999.50"),
            ("1000", "JPY", "1,000"),
            ("1234567.891", "KWD", "1,234,567.891"),
            ("999999999999999.99", "EUR", "999,999,999,999,999.99"),
        ] {
            assert_eq!(Money::new(amount, currency).unwrap().number, expected);
        }
        assert_eq!(Money::new("", "USD"), None);
        assert_eq!(Money::new("1", "EURO"), None);
    }

    #[test]
    fn a_moment_names_its_day_and_zone() {
        let moment = Moment::new("2026-11-02T23:30:05.123456-01:00").unwrap();
        assert_eq!(moment.words, "3 November 2026, 00:30:05 UTC");
        assert!(Moment::new("").is_none());
    }
}
