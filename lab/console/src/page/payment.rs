//! One payment: what became of it, and each step of its way with its time.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse as _, Redirect, Response};
use lab_runner::part::PartName;
use payment_core::{Currency, PaymentId, Timestamp};
use payment_store::Found;
use payment_store::audit::{Conflict, LedgerEntry};

use super::{Shell, encoded, page, parameter};
use crate::server::Console;
use crate::source::access::{self, Answered};
use crate::text;

/// Width of the whole time in the picture.
const WIDTH: u64 = 600;

#[derive(Template)]
#[template(path = "payment.html")]
struct Page {
    shell: Shell,
    id: String,
    /// What a client is told.
    told: String,
    state: &'static str,
    facts: Vec<(&'static str, String)>,
    object: Option<(String, String)>,
    spans: Vec<Bar>,
    total: String,
    conflicts: Vec<Conflict>,
    problems: Vec<String>,
}

/// A step on the common scale.
struct Bar {
    name: String,
    detail: String,
    took: String,
    x: u64,
    width: u64,
    kind: &'static str,
}

/// A step with its times.
struct Span {
    name: String,
    detail: String,
    start: Timestamp,
    end: Timestamp,
    kind: &'static str,
}

/// From the search field.
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
    let Some(payment) = PaymentId::parse(&id) else {
        let told = "This is no payment id: 1 to 64 of A-Z a-z 0-9 . _ : - are expected.";
        return page(&nothing(told.to_owned(), Vec::new()));
    };
    let mut problems = Vec::new();
    let mut noted = |error: &dyn std::error::Error| problems.push(lab_runner::output::chain(error));
    let store = &console.rows.store;
    let found = store.find(&payment).await.unwrap_or_else(|error| {
        noted(&error);
        None
    });
    let (mut entry, mut conflicts) = (None, Vec::new());
    if let Some(found) = &found {
        let (ledger, other) = tokio::join!(
            store.ledger_entry_of_row(found),
            store.conflicts_of(&payment)
        );
        entry = ledger.unwrap_or_else(|error| {
            noted(&error);
            None
        });
        conflicts = other.unwrap_or_default();
    }
    let request = found.as_ref().and_then(|found| found.request_id.as_ref());
    let request = request.map(ToString::to_string);
    let answers = access::of_payment(&id, request.as_deref(), &console).await;
    let told = ask(&payment, &console).await;
    let spans = spans(found.as_ref(), entry.as_ref(), answers);
    if found.is_none() && spans.is_empty() && told.is_none() {
        let told = "Nothing is known of this payment.".to_owned();
        return page(&nothing(told, problems));
    }
    let (bars, total) = bars(&spans);
    page(&Page {
        shell,
        told: told.unwrap_or_default(),
        state: match (&found, conflicts.is_empty()) {
            (Some(_), true) => "recorded",
            (Some(_), false) => "recorded, with conflicts",
            (None, _) => "accepted, not recorded yet",
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

/// What the pipeline itself tells a client who asks.
async fn ask(id: &PaymentId, console: &Console) -> Option<String> {
    let url = format!("{}/pay/{id}", console.lab.url(PartName::Alb));
    let answer = console.http.get(url).send().await.ok()?;
    let is_known = answer.status().is_success();
    let body = answer.text().await.ok()?;
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

fn spans(found: Option<&Found>, entry: Option<&LedgerEntry>, answers: Vec<Answered>) -> Vec<Span> {
    let mut spans: Vec<_> = answers
        .into_iter()
        .map(|answered| Span {
            name: answered.part.to_string(),
            detail: format!(
                "{} {}: {}",
                answered.method, answered.route, answered.status
            ),
            start: answered.start,
            end: answered.end,
            kind: if answered.status < 500 { "tier" } else { "bad" },
        })
        .collect();
    if let Some(found) = found {
        spans.push(Span {
            name: "lambda".to_owned(),
            detail: format!(
                "from its arrival to the row, line {} of the object",
                found.object_line
            ),
            start: found.received_at,
            end: found.recorded_at,
            kind: "row",
        });
        if let Some(entry) = entry {
            spans.push(Span {
                name: "ledger".to_owned(),
                detail: format!(
                    "the whole object: {}",
                    text::plural(u64::from(entry.lines), "line", "lines")
                ),
                start: found.recorded_at,
                end: entry.ingested_at,
                kind: "row",
            });
        }
    }
    // The tiers first, in the order of a request: theirs are the clocks of logs, the row's are of the app tier and the
    // database.
    spans
}

fn bars(spans: &[Span]) -> (Vec<Bar>, String) {
    let start = spans.iter().map(|span| span.start).min();
    let end = spans.iter().map(|span| span.end).max();
    let (Some(start), Some(end)) = (start, end) else {
        return (Vec::new(), String::new());
    };
    let whole = between(start, end);
    let place = |moment| {
        let share = between(start, moment).as_micros() * u128::from(WIDTH);
        u64::try_from(share / whole.as_micros().max(1)).unwrap_or(WIDTH)
    };
    let bar = |span: &Span| {
        let (x, to) = (place(span.start), place(span.end));
        Bar {
            name: span.name.clone(),
            detail: span.detail.clone(),
            took: text::duration(between(span.start, span.end)),
            x: x.min(WIDTH - 3),
            width: to.saturating_sub(x).max(3),
            kind: span.kind,
        }
    };
    (spans.iter().map(bar).collect(), text::duration(whole))
}

fn between(start: Timestamp, end: Timestamp) -> Duration {
    (end.to_utc() - start.to_utc())
        .try_into()
        .unwrap_or_default()
}

/// A key's last part, which tells one object from another.
fn short(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_on_one_scale_in_the_order_of_their_start() {
        let at = |micros: i64| {
            let base = 1_700_000_000_000;
            let moment = Timestamp::from_unix_millis(base).unwrap();
            Timestamp::new(moment.to_utc() + time::Duration::microseconds(micros))
        };
        let span = |start, end| Span {
            name: String::new(),
            detail: String::new(),
            start: at(start),
            end: at(end),
            kind: "tier",
        };
        let (bars, total) = bars(&[
            span(0, 5_000),
            span(1_000, 4_000),
            span(4_000, 20_000),
            span(20_000, 20_000),
        ]);
        assert_eq!(total, "20 ms");
        let places: Vec<_> = bars.iter().map(|bar| (bar.x, bar.width)).collect();
        assert_eq!(places, [(0, 150), (30, 90), (120, 480), (597, 3)]);
        assert_eq!(bars[1].took, "3.0 ms");
    }
}
