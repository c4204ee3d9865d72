//! One payment: its status and its path, for each client that has one under the id.

mod path;

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use payment_core::{ClientName, Currency, PaymentId, PaymentKey};
use payment_store::Found;
use payment_store::audit::{Row, Rows};

use self::path::{Bar, bars, spans};
use super::{Shell, encoded, page, parameter};
use crate::source::access::{self, Answered};
use crate::source::chain::{self, Link};
use crate::source::{Away, TIMEOUT, within};
use crate::state::Console;
use crate::text::timestamp;

#[derive(Template)]
#[template(path = "payment.html")]
struct Page {
    shell: Shell,
    id: String,
    /// What the API answers to the lab itself, or why there is nothing to show.
    told: String,
    /// Each client's payment under this id.
    payments: Vec<OfClient>,
    problems: Vec<String>,
}

struct OfClient {
    /// Empty with open intake.
    client: String,
    state: &'static str,
    facts: Vec<(&'static str, String)>,
    object: Option<(String, String)>,
    /// What vouches for the object; empty if the payment has no row.
    chain: Vec<(&'static str, String)>,
    /// The object that names it, with its page.
    named_by: Option<(String, String)>,
    spans: Vec<Bar>,
    total: String,
    conflicts: Vec<OtherContent>,
}

/// A line of the log with the payment's id and other content.
struct OtherContent {
    at: String,
    object: String,
    line: u32,
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
    let mut shown = Page {
        shell: Shell::of("Database", &uri, &console),
        id,
        told: String::new(),
        payments: Vec::new(),
        problems: Vec::new(),
    };
    match PaymentId::parse(&shown.id) {
        Some(id) => shown.look_for(&id, &console).await,
        None => {
            "This is no payment id: 1 to 64 of A-Z a-z 0-9 . _ : - are expected."
                .clone_into(&mut shown.told);
        }
    }
    page(&shown)
}

impl Page {
    async fn look_for(&mut self, id: &PaymentId, console: &Console) {
        let store = &console.rows.store;
        let (recorded, told) =
            tokio::join!(within(TIMEOUT, store.rows_of_id(id)), ask(id, console));
        let database_answers = recorded.is_ok();
        let mut rows = BTreeMap::new();
        let recorded = noted(recorded, &mut self.problems);
        for payment in recorded.iter().filter_map(|row| row.key()) {
            let found = within(TIMEOUT, store.find(&payment)).await;
            rows.insert(payment.client, noted(found, &mut self.problems));
        }
        let requests = rows.values().flatten();
        let requests = requests.filter_map(|found| Some(found.request_id.as_ref()?.to_string()));
        let answers = access::of_payment(id.as_str(), requests.collect(), &console.lab.dir).await;
        for answered in answers.iter().filter(|answered| answered.is_of_payment) {
            rows.entry(answered.client.clone()).or_default();
        }
        if rows.is_empty() && told.is_some() {
            rows.insert(ClientName::default(), None);
        }
        for (client, found) in rows {
            let answers = answers.iter().filter(|answered| answered.client == client);
            let answers: Vec<_> = answers.cloned().collect();
            let is_told = client.is_empty() && told.is_some();
            let is_accepted = is_told || answers.iter().any(Answered::is_success);
            let payment = PaymentKey {
                id: id.clone(),
                client,
            };
            let mut payment = self.payment(payment, found, answers, console).await;
            if payment.facts.is_empty() {
                payment.state = match is_accepted {
                    _ if !database_answers => "unknown: the database does not answer",
                    true => "accepted, not recorded yet",
                    false => "not accepted",
                };
            }
            self.payments.push(payment);
        }
        self.told = told.unwrap_or_default();
        if self.payments.is_empty() {
            let nothing = if database_answers {
                "Nothing is known of this payment."
            } else {
                "Whether this payment is recorded is not known: the database does not answer."
            };
            nothing.clone_into(&mut self.told);
        }
    }

    /// One client's payment, as its row and the logs have it.
    async fn payment(
        &mut self,
        payment: PaymentKey,
        found: Option<Found>,
        answers: Vec<Answered>,
        console: &Console,
    ) -> OfClient {
        let store = &console.rows.store;
        let (mut entry, mut conflicts, mut link) = (None, Rows::default(), None);
        if let Some(found) = &found {
            let (ledger, others) = tokio::join!(
                within(TIMEOUT, store.ledger_entry_of_row(found)),
                within(TIMEOUT, store.conflicts_of(&payment)),
            );
            entry = noted(ledger, &mut self.problems);
            conflicts = noted(others, &mut self.problems);
        }
        if let Some(entry) = &entry {
            let found = chain::link(entry, &console.s3).await.map(Some);
            link = noted(found, &mut self.problems);
        }
        let (spans, total) = bars(&spans(found.as_ref(), entry.as_ref(), answers));
        OfClient {
            client: payment.client.as_str().to_owned(),
            state: if conflicts.is_empty() {
                "recorded"
            } else {
                "recorded, with conflicts"
            },
            facts: facts(found.as_ref()),
            object: found
                .as_ref()
                .map(|found| linked(found.object_key.as_str())),
            chain: link.as_ref().map(place).unwrap_or_default(),
            named_by: link
                .and_then(|link| link.named_by)
                .map(|(key, _)| linked(key.as_str())),
            spans,
            total,
            conflicts: conflicts.iter().map(|row| OtherContent::of(&row)).collect(),
        }
    }
}

impl OtherContent {
    fn of(conflict: &Row<'_>) -> Self {
        Self {
            at: conflict.recorded_at.map(timestamp).unwrap_or_default(),
            object: short(conflict.object_key).to_owned(),
            line: conflict.object_line,
        }
    }
}

/// Returns the answer, or adds the error to the problems of the page.
fn noted<T: Default>(answer: Result<T, Away>, problems: &mut Vec<String>) -> T {
    answer.unwrap_or_else(|away| {
        problems.push(away.to_string());
        T::default()
    })
}

/// What the pipeline itself tells the lab when it asks.
async fn ask(id: &PaymentId, console: &Console) -> Option<String> {
    let answer = console.door.get(id.as_str()).await.ok()?;
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

/// Where the object stands in the chain, and what names it.
fn place(link: &Link) -> Vec<(&'static str, String)> {
    let Some(position) = link.position else {
        let why = "no chain: the object has no header, or an older function ingested it";
        return vec![("Place", why.to_owned())];
    };
    let vouched = match &link.named_by {
        Some((_, seq)) => format!("named, with this hash, by number {seq} of the run"),
        None => "open: no header names it yet; ledger and rows alone vouch for it".to_owned(),
    };
    let sha256 = link.sha256.map(|sha256| sha256.to_string());
    vec![
        ("SHA-256", sha256.unwrap_or_default()),
        ("Run", position.run.to_string()),
        ("Number", position.seq.to_string()),
        ("Place", vouched),
    ]
}

/// An object's key, and its page.
fn linked(key: &str) -> (String, String) {
    (key.to_owned(), format!("/s3/object?key={}", encoded(key)))
}

/// Returns a key's last part, which distinguishes objects.
fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
