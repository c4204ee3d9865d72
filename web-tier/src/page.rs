//! The pay page: HTML that works without a script, under a policy that allows none.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use payment_core::{ErrorCode, PaymentId};
use tier_kit::http::Refusal;
use uuid::Uuid;

use crate::form::{Answer, Fields};

/// Nothing but this server's own style sheet and form. No script at all.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

const STYLE: &str = include_str!("../assets/pay.css");

#[derive(Template)]
#[template(path = "pay.html")]
struct PayPage {
    fields: Fields,
    /// In words for the payer; empty where nothing was wrong.
    problem: String,
    /// The field that is to be mended.
    member: String,
}

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage<'a> {
    fields: &'a Fields,
    received_at: &'a str,
}

/// The empty form, with an id of its own.
pub async fn pay() -> Response {
    let id = PaymentId::made_from(Uuid::now_v7()).to_string();
    let fields = Fields {
        id,
        currency: "USD".to_owned(),
        ..Fields::default()
    };
    render(&PayPage {
        fields,
        problem: String::new(),
        member: String::new(),
    })
}

/// The form again, with what is to be mended. The id stays, unless it belongs to another payment by now.
pub fn refused(mut fields: Fields, answer: &Answer) -> Response {
    if answer.code == ErrorCode::IdConflict.code() {
        fields.id = PaymentId::made_from(Uuid::now_v7()).to_string();
    }
    let problem = if answer.detail.is_empty() {
        "It did not work. Send it again."
    } else {
        &answer.detail
    };
    render(&PayPage {
        fields,
        problem: problem.to_owned(),
        member: answer.member.clone(),
    })
}

pub fn receipt(fields: &Fields, answer: &Answer) -> Response {
    render(&ReceiptPage {
        fields,
        received_at: &answer.received_at,
    })
}

pub async fn style() -> impl IntoResponse {
    (
        [
            (CONTENT_TYPE, "text/css; charset=utf-8"),
            (CACHE_CONTROL, "public, max-age=3600"),
        ],
        STYLE,
    )
}

fn render(page: &impl Template) -> Response {
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
