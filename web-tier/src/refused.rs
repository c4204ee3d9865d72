//! The page of a refusal that has no form to show again.

use askama::Template;
use axum::extract::Request;
use http::Method;
use payment_core::{CardCheck, ErrorCode, PaymentId};

use crate::{address, assets, words};

/// What a person wanted, as the head of the request says it.
pub enum Purpose {
    /// A payment, under the id in the form's address.
    Pay(Option<PaymentId>),
    /// A look at what became of a payment.
    Ask(PaymentId),
    Other,
}

impl Purpose {
    pub fn of(request: &Request, cards: &CardCheck) -> Self {
        if request.method() == Method::POST {
            return Self::Pay(address::id_in_query(request.uri(), cards));
        }
        let id = request.uri().path().strip_prefix("/pay/");
        let id = id.and_then(|id| PaymentId::parse_with(id, cards));
        id.map_or(Self::Other, Self::Ask)
    }
}

#[derive(Template)]
#[template(path = "refused.html")]
pub struct RefusedPage {
    assets: &'static str,
    title: &'static str,
    words: String,
    /// The first is what to do.
    links: Vec<Link>,
}

struct Link {
    to: String,
    words: &'static str,
}

impl RefusedPage {
    pub fn new(purpose: &Purpose, code: ErrorCode) -> Self {
        let (title, words, links) = match purpose {
            Purpose::Pay(id) if words::may_have_been_taken(code) => unknown(id.as_ref(), code),
            Purpose::Pay(id) => not_taken(id.as_ref(), code),
            Purpose::Ask(id) => not_found(id, code),
            Purpose::Other => other(code),
        };
        Self {
            assets: assets::base(),
            title,
            words,
            links,
        }
    }
}

type Content = (&'static str, String, Vec<Link>);

/// Without its id there is no way back to the same payment but the browser's own.
fn unknown(id: Option<&PaymentId>, code: ErrorCode) -> Content {
    let reason = words::of(code);
    let Some(id) = id else {
        let words = format!(
            "{reason} Go back with your browser, and send the same form again: it is paid once."
        );
        return (words::NOT_KNOWN, words, Vec::new());
    };
    let words = format!("{reason} Ask before you pay again.");
    let links = vec![
        link(address::receipt(id), words::ASK),
        link(address::form(id), "Back to the form"),
    ];
    (words::NOT_KNOWN, words, links)
}

fn not_taken(id: Option<&PaymentId>, code: ErrorCode) -> Content {
    // An earlier try under the id may have been.
    let links = match id {
        Some(id) => vec![
            link(address::form(id), "Back to the form"),
            link(address::receipt(id), words::ASK),
        ],
        None => vec![link(address::PAY.to_owned(), "Back to the form")],
    };
    let words = format!(
        "{} Your browser's Back keeps what you entered.",
        words::of(code)
    );
    ("This try was not taken", words, links)
}

fn not_found(id: &PaymentId, code: ErrorCode) -> Content {
    let again = link(address::receipt(id), "Ask again");
    if code != ErrorCode::NotFound {
        let words = format!(
            "{} Do not pay again before you know: ask in a moment.",
            words::of(code)
        );
        return (
            "It is not known what became of this payment",
            words,
            vec![again],
        );
    }
    let words = "A payment that was just made may take a moment to be found: ask again. If it stays unknown, it can be \
                 paid under the same number, and is then paid once.";
    let form = link(address::form(id), "Back to the form");
    (
        "No payment is known under this number yet",
        words.to_owned(),
        vec![again, form],
    )
}

fn other(code: ErrorCode) -> Content {
    let (_, _, title) = code.parts();
    let links = vec![link(address::PAY.to_owned(), "Make a payment")];
    (title, words::of(code).to_owned(), links)
}

fn link(to: String, words: &'static str) -> Link {
    Link { to, words }
}
