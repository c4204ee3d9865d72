//! What the door accepts the reader accepts, and gives back the same payment: promise P2.

mod bodies;

use proptest::prelude::*;
use uuid::Uuid;

use self::bodies::{Sent, sent};
use super::super::*;
use super::{TRACEPARENT, at};
use crate::id::PaymentId;
use crate::{Currency, ObjectKey};

/// The payment that the door makes of it; none for a card number, which chance puts into some.
fn accepted(sent: &Sent) -> Option<Payment> {
    let made = || PaymentId::made_from(Uuid::from_u128(7));
    let draft = Draft::parse(sent.body.as_bytes());
    match draft.and_then(|draft| draft.identify(sent.key.as_deref(), made)) {
        Ok(payment) => Some(payment),
        Err(PaymentError::CardNumber { .. }) => None,
        Err(error) => panic!("{error}: {}", sent.body),
    }
}

fn record(payment: Payment) -> LogRecord {
    let request_id = RequestId::parse("req-1").unwrap();
    let traceparent = TraceParent::parse(TRACEPARENT);
    LogRecord::new(
        payment,
        at("2026-11-22T07:30:00.123456Z"),
        request_id,
        traceparent,
    )
}

fn assert_read_back(written: &LogRecord) {
    let line = written.to_line();
    assert!(line.len() <= LINE_BYTES_MAX, "{} bytes", line.len());
    assert_eq!(line.matches('\n').count(), 1);
    for key in ["t/dt=2026-11-22/hh=07/a.ndjson", "t/a.json"] {
        let key = ObjectKey::parse(key).unwrap();
        let lines: Vec<_> = read_object(&key, line.as_bytes(), Timestamp::EPOCH).collect();
        assert_eq!(lines, [(1, Ok(written.clone()))], "{line}");
    }
}

/// The payment as an audit makes it from the columns of its row, where each amount has four decimals.
fn from_row(payment: &Payment) -> Result<Payment, RecordError> {
    let amount = payment.amount().map(|amount| {
        let text = amount.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        format!("{whole}.{fraction:0<4}")
    });
    let columns = [
        ("id", Some(payment.id().as_str())),
        ("transaction", payment.transaction()),
        ("amount", amount.as_deref()),
        ("currency", payment.currency().map(Currency::code)),
        ("status", Some(payment.status().as_str())),
        ("payer_name", payment.payer_name()),
    ];
    let known = columns
        .into_iter()
        .filter_map(|(name, text)| Some((name.into(), Json::String(text?.into()))));
    let extra = payment.extra_json();
    let extra = json::read_object(&extra, json::DEPTH_MAX)?;
    Payment::from_stored(payment.client().clone(), known.collect(), extra)
}

/// The empty name, and the longest.
const CLIENTS: [&str; 2] = ["", "shop-0123456789-0123456789-01234"];

proptest! {
    #[test]
    fn p2_what_the_door_accepts_is_read_back_the_same(sent in sent()) {
        if let Some(payment) = accepted(&sent) {
            for client in CLIENTS {
                let client = ClientName::from_stored(client).unwrap();
                let payment = payment.clone().of_client(client);
                prop_assert_eq!(from_row(&payment), Ok(payment.clone()));
                assert_read_back(&record(payment));
            }
        }
    }
}

#[test]
fn p2_a_body_as_deep_as_the_door_allows_is_read_back() {
    for depth in 1..json::DEPTH_MAX {
        for (open, close) in [("{\"extra\":", "}"), ("[", "]"), ("{\"v\":[", "]}")] {
            let levels = depth / open.matches(['{', '[']).count();
            let nested = format!("{}7{}", open.repeat(levels), close.repeat(levels));
            let body = format!(r#"{{"id":"x","cart":{nested}}}"#);
            let sent = Sent { body, key: None };
            assert_read_back(&record(accepted(&sent).unwrap()));
        }
    }
}

/// What an older door accepted, and the door of today does not.
#[test]
fn p2_the_reader_of_an_own_line_has_no_policy() {
    const CARD: &str = "4111111111111111";
    let text = |text: &'static str| Json::String(text.into());
    let known = [
        ("id", text("...")),
        ("amount", text("378282246310005")),
        ("currency", text("HRK")),
        ("transaction", text(CARD)),
        ("payer_name", text(CARD)),
    ];
    let known = known.map(|(name, value)| (name.into(), value));
    let extra = vec![(CARD.into(), Json::Number(CARD.into()))];
    let payment = Payment::from_stored(ClientName::default(), known.into(), extra).unwrap();
    let mut written = record(payment);
    written.request_id = RequestId::from_stored(CARD);
    written.traceparent =
        TraceParent::parse("00-00000000000000004111111111111111-b7ad6b7169203331-01");
    assert!(written.request_id.is_some() && written.traceparent.is_some());
    assert_read_back(&written);
}
