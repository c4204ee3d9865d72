//! One payment: its status and its path.

mod path;

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lab_runner::part::PartName;
use payment_core::{Currency, PaymentId, PaymentKey};
use payment_store::Found;
use payment_store::audit::Conflict;

use self::path::{Bar, bars, spans};
use super::{Shell, encoded, page, parameter};
use crate::source::access::{self, Answered};
use crate::source::{Away, TIMEOUT, within};
use crate::state::Console;

#[derive(Template)]
#[template(path = "payment.html")]
struct Page {
    shell: Shell,
    id: String,
    /// What the API answers to a client.
    told: String,
    state: &'static str,
    facts: Vec<(&'static str, String)>,
    object: Option<(String, String)>,
    spans: Vec<Bar>,
    total: String,
    conflicts: Vec<Conflict>,
    problems: Vec<String>,
}

/// Redirects from the search field.
pub async fn find(uri: Uri) -> Response {
    let id = parameter(&uri, "id");
    let id = id.trim();
    let to = if id.is_empty() {
        "/database".to_owned()
    } else {
        format!("/payments/{}", encoded(id))
    };
    Redirect::to(&to).into_response()
}

pub async fn show(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    uri: Uri,
) -> Response {
    let shell = Shell::of("Database", &uri, &console);
    let nothing = |told: String, problems| Page {
        id: id.clone(),
        told,
        state: "unknown",
        facts: Vec::new(),
        object: None,
        spans: Vec::new(),
        total: String::new(),
        conflicts: Vec::new(),
        problems,
        shell: Shell::of("Database", &uri, &console),
    };
    let Some(payment_id) = PaymentId::parse(&id) else {
        let told = "This is no payment id: 1 to 64 of A-Z a-z 0-9 . _ : - are expected.";
        return page(&nothing(told.to_owned(), Vec::new()));
    };
    let mut problems = Vec::new();
    let store = &console.rows.store;
    // The link names no client: of several that have the id, the first by name is shown.
    let clients = noted(
        within(TIMEOUT, store.clients_of(&payment_id)).await,
        &mut problems,
    );
    let client = clients.into_iter().next().unwrap_or_default();
    let payment = PaymentKey {
        id: payment_id,
        client,
    };
    let (found, told) = tokio::join!(
        within(TIMEOUT, store.find(&payment)),
        ask(&payment.id, &console)
    );
    let database_answers = found.is_ok();
    let found = noted(found, &mut problems);
    let (mut entry, mut conflicts) = (None, Vec::new());
    if let Some(found) = &found {
        let (ledger, others) = tokio::join!(
            within(TIMEOUT, store.ledger_entry_of_row(found)),
            within(TIMEOUT, store.conflicts_of(&payment)),
        );
        entry = noted(ledger, &mut problems);
        conflicts = noted(others, &mut problems);
    }
    let request = found.as_ref().and_then(|found| found.request_id.as_ref());
    let request = request.map(ToString::to_string);
    let answers = access::of_payment(&id, request.as_deref(), &console.lab.dir).await;
    let is_accepted = told.is_some() || answers.iter().any(Answered::is_success);
    let spans = spans(found.as_ref(), entry.as_ref(), answers);
    if found.is_none() && spans.is_empty() && told.is_none() {
        let told = if database_answers {
            "Nothing is known of this payment."
        } else {
            "Whether this payment is recorded is not known: the database does not answer."
        };
        return page(&nothing(told.to_owned(), problems));
    }
    let (bars, total) = bars(&spans);
    page(&Page {
        shell,
        told: told.unwrap_or_default(),
        state: match (&found, conflicts.is_empty()) {
            (Some(_), true) => "recorded",
            (Some(_), false) => "recorded, with conflicts",
            (None, _) if !database_answers => "unknown: the database does not answer",
            (None, _) if is_accepted => "accepted, not recorded yet",
            (None, _) => "not accepted",
        },
        facts: facts(found.as_ref()),
        object: found.as_ref().map(|found| {
            let key = found.object_key.as_str();
            (key.to_owned(), format!("/s3/object?key={}", encoded(key)))
        }),
        spans: bars,
        total,
        conflicts,
        problems,
        id,
    })
}

/// Returns the answer, or adds the error to the problems of the page.
fn noted<T: Default>(answer: Result<T, Away>, problems: &mut Vec<String>) -> T {
    answer.unwrap_or_else(|away| {
        problems.push(away.to_string());
        T::default()
    })
}

/// What the pipeline itself tells a client who asks.
async fn ask(id: &PaymentId, console: &Console) -> Option<String> {
    let url = format!("{}/pay/{id}", console.lab.url(PartName::Alb));
    let answer = console.http.get(&url).await.ok()?;
    let is_known = answer.status.is_success();
    let body = answer.body;
    let pretty = serde_json::from_str::<serde_json::Value>(&body);
    let pretty = pretty.and_then(|body| serde_json::to_string_pretty(&body));
    is_known.then_some(pretty.unwrap_or(body))
}

fn facts(found: Option<&Found>) -> Vec<(&'static str, String)> {
    let Some(found) = found else {
        return Vec::new();
    };
    let amount = found.amount.map(|amount| {
        let currency = found.currency.map_or("", Currency::code);
        format!("{amount} {currency}")
    });
    let request = found.request_id.as_ref().map(ToString::to_string);
    let facts = [
        ("Amount", amount),
        ("Payer", found.payer_name.clone()),
        ("Transaction", found.transaction.clone()),
        ("Status", Some(found.status.as_str().to_owned())),
        ("Request", request),
        ("Content hash", Some(found.content_hash.to_string())),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// Returns a key's last part, which distinguishes objects.
fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
