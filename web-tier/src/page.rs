//! The pay page: HTML that works without a script, and with one tells more and sooner.

use std::sync::LazyLock;

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http_service::http::Refusal;
use payment_core::card::iban;
use payment_core::payment::{PAYER_NAME_CHARS_MAX, TRANSACTION_CHARS_MAX};
use payment_core::{CardCheck, Currency, ErrorCode, PaymentId, card};
use uuid::Uuid;

use crate::assets;
use crate::form::{Answer, Fields};

/// Nothing but this server's own style sheets, scripts, form and answers.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What the page's rules are made of: the server's own table.
static CURRENCIES: LazyLock<Vec<Currency>> = LazyLock::new(|| Currency::all().collect());

static IBANS: LazyLock<String> = LazyLock::new(|| {
    let forms = iban::REGISTRY.map(|(country, form)| format!("{country}{form}"));
    forms.join(" ")
});

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage {
    assets: &'static str,
    currencies: &'static [Currency],
    name_chars: usize,
    note_chars: usize,
    fields: Fields,
    /// Members that are not searched for card numbers, with spaces between.
    exempt: String,
    /// The registry of IBANs, for the page's own check for card numbers.
    ibans: &'static str,
    /// In words for the payer; empty where nothing was wrong.
    problem: String,
    /// The field that is to be mended, where it is one of the form's.
    member: String,
}

impl PayPage {
    fn new(fields: Fields, problem: &str, member: &str, cards: &CardCheck) -> Self {
        let is_field = ["amount", "currency", "payer_name", "transaction"].contains(&member);
        Self {
            assets: assets::base(),
            currencies: &CURRENCIES,
            name_chars: PAYER_NAME_CHARS_MAX,
            note_chars: TRANSACTION_CHARS_MAX,
            fields,
            exempt: cards.exempt().collect::<Vec<_>>().join(" "),
            ibans: &IBANS,
            problem: problem.to_owned(),
            member: if is_field { member } else { "" }.to_owned(),
        }
    }
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage<'a> {
    assets: &'static str,
    fields: &'a Fields,
    received_at: &'a str,
}

/// The empty form, with an id of its own.
pub fn pay(cards: &CardCheck) -> Response {
    let id = PaymentId::made_from(Uuid::now_v7()).to_string();
    let fields = Fields {
        id,
        currency: "USD".to_owned(),
        ..Fields::default()
    };
    render(&PayPage::new(fields, "", "", cards))
}

/// The form again, with what is to be mended. The id stays, unless it belongs to another payment by now. A card number
/// is not repeated, whatever was wrong.
pub fn refused(mut fields: Fields, answer: &Answer, cards: &CardCheck) -> Response {
    let is_taken = answer.code == ErrorCode::IdConflict.code();
    let Fields {
        id,
        amount,
        currency,
        payer_name,
        transaction,
    } = &mut fields;
    for field in [&mut *id, amount, currency, payer_name, transaction] {
        if card::is_in(field) {
            field.clear();
        }
    }
    if is_taken || fields.id.is_empty() {
        fields.id = PaymentId::made_from(Uuid::now_v7()).to_string();
    }
    let problem = if answer.detail.is_empty() {
        "It did not work. Send it again."
    } else {
        &answer.detail
    };
    render(&PayPage::new(fields, problem, &answer.member, cards))
}

pub fn receipt(fields: &Fields, answer: &Answer) -> Response {
    render(&ReceiptPage {
        assets: assets::base(),
        fields,
        received_at: &answer.received_at,
    })
}

pub(crate) fn render(page: &impl Template) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
    ];
    match page.render() {
        Ok(html) => (headers, Html(html)).into_response(),
        Err(error) => Refusal::new(ErrorCode::Internal, "load the page again")
            .because(error.to_string())
            .into_response(),
    }
}
