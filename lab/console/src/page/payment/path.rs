//! The path of a payment: each step with its time.

use std::time::Duration;

use payment_core::Timestamp;
use payment_store::Found;
use payment_store::audit::LedgerEntry;

use crate::source::access::Answered;
use crate::text;

/// Width of the whole duration, in pixels.
const WIDTH: u64 = 600;

/// A step on the common time scale.
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) took: String,
    pub(super) x: u64,
    pub(super) width: u64,
    pub(super) kind: &'static str,
}

/// A step with its start and end.
pub(super) struct Span {
    name: String,
    detail: String,
    start: Timestamp,
    end: Timestamp,
    kind: &'static str,
}

/// Returns the known steps, the tiers first in the order of a request. Their times are from their logs; the row's are
/// from the app tier and the database.
pub(super) fn spans(
    found: Option<&Found>,
    entry: Option<&LedgerEntry>,
    answers: Vec<Answered>,
) -> Vec<Span> {
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
    spans
}

/// Returns the steps on one scale, and the total duration.
pub(super) fn bars(spans: &[Span]) -> (Vec<Bar>, String) {
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
