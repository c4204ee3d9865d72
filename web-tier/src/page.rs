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

use crate::answer::Problem;
use crate::form::Fields;
use crate::{address, assets, words};

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
    trouble: Trouble,
}

/// Why the form is shown again; empty the first time.
#[derive(Default)]
struct Trouble {
    /// What became of the payment.
    banner: String,
    /// The field that is to be corrected, and why.
    member: String,
    problem: String,
    /// Where to ask for the payment that was made, or may have been, and the words of the link.
    ask: Option<(String, &'static str)>,
}

impl PayPage {
    fn new(fields: Fields, trouble: Trouble, cards: &CardCheck) -> Self {
        Self {
            assets: assets::base(),
            currencies: &CURRENCIES,
            name_chars: PAYER_NAME_CHARS_MAX,
            note_chars: TRANSACTION_CHARS_MAX,
            fields,
            exempt: cards.exempt().collect::<Vec<_>>().join(" "),
            ibans: &IBANS,
            trouble,
        }
    }
}

impl Trouble {
    fn unsure(code: ErrorCode, id: &PaymentId) -> Self {
        Self {
            banner: format!(
                "{}. {} Ask first. If it was not, press Pay again: it is paid once.",
                words::NOT_KNOWN,
                words::of(code)
            ),
            ask: Some((address::receipt(id), words::ASK)),
            ..Self::default()
        }
    }

    fn new(code: ErrorCode, problem: &Problem, id: &PaymentId) -> Self {
        if code == ErrorCode::IdConflict {
            return Self {
                banner: format!(
                    "What you sent last was not made. {} If you sent this form before, do not press Pay: see first \
                     whether that payment is yours. Pay makes another one besides.",
                    words::of(code)
                ),
                ask: Some((address::receipt(id), "See the payment that was made")),
                ..Self::default()
            };
        }
        if words::may_have_been_taken(code) {
            return Self::unsure(code, id);
        }
        let is_field = ["amount", "currency", "payer_name", "transaction"];
        if is_field.contains(&&*problem.member) {
            return Self {
                banner: "Nothing was paid this time. Correct what is marked, and press Pay."
                    .to_owned(),
                member: problem.member.clone(),
                problem: words::of_field(code, &problem.detail),
                ask: None,
            };
        }
        Self {
            banner: format!("Nothing was paid this time. {}", words::of(code)),
            ..Self::default()
        }
    }
}

/// The empty form.
pub fn form(id: &PaymentId, cards: &CardCheck) -> Response {
    empty(id, Trouble::default(), cards)
}

/// The empty form under an id that may have been paid under: why that could not be asked is the code.
pub fn unsure(id: &PaymentId, code: ErrorCode, cards: &CardCheck) -> Response {
    empty(id, Trouble::unsure(code, id), cards)
}

fn empty(id: &PaymentId, trouble: Trouble, cards: &CardCheck) -> Response {
    let fields = Fields {
        id: id.to_string(),
        currency: Currency::USD.code().to_owned(),
        ..Fields::default()
    };
    render(&PayPage::new(fields, trouble, cards))
}

/// The form again, with what became of the payment. The id stays, unless it belongs to another payment by now. A card
/// number is not repeated, whatever was wrong.
pub fn refused(
    mut fields: Fields,
    code: ErrorCode,
    problem: &Problem,
    cards: &CardCheck,
) -> Response {
    let id = PaymentId::parse_with(&fields.id, cards).unwrap_or_else(address::new_id);
    let trouble = Trouble::new(code, problem, &id);
    let is_taken = code == ErrorCode::IdConflict;
    let next_id = if is_taken {
        address::id_after(&id, &fields.body().unwrap_or_default())
    } else {
        id
    };
    let Fields {
        id: _,
        amount,
        currency,
        payer_name,
        transaction,
    } = &mut fields;
    for field in [amount, currency, payer_name, transaction] {
        if card::is_in(field) {
            field.clear();
        }
    }
    fields.id = next_id.to_string();
    render(&PayPage::new(fields, trouble, cards))
}

/// A page with the headers that each has. An origin that is told within this site alone lets its own form be known from
/// another site's.
pub(crate) fn render(page: &impl Template) -> Response {
    let headers: [(HeaderName, &str); 4] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    match page.render() {
        Ok(html) => (headers, Html(html)).into_response(),
        Err(error) => Refusal::new(ErrorCode::Internal, "load the page again")
            .because(error.to_string())
            .into_response(),
    }
}
