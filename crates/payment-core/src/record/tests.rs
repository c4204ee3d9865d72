mod accepted;

use proptest::prelude::*;

use super::*;
use crate::id::PaymentId;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn record(body: &str) -> LogRecord {
    let payment = Draft::parse(body.as_bytes())
        .unwrap()
        .identify(None, || PaymentId::parse("made").unwrap())
        .unwrap();
    LogRecord::new(
        payment,
        at("2026-11-22T07:30:00.123456Z"),
        RequestId::parse("req-1").unwrap(),
        TraceParent::parse(TRACEPARENT),
    )
}

fn reason(line: &str) -> &'static str {
    LogRecord::parse(line.as_bytes(), at("2026-01-01T00:00:00Z"))
        .expect_err(line)
        .reason()
}

#[test]
fn version_1_is_fixed() {
    let line = record(
        r#"{"id":"test123","transaction":"round\"trip","amount":100,"payer_name":"Jane","x":1.10}"#,
    )
    .to_line();
    assert_eq!(
        line,
        format!(
            r#"{{"v":1,"id":"test123","transaction":"round\"trip","amount":"100.00","currency":"USD","status":"processed","payer_name":"Jane","extra":{{"x":1.10}},"received_at":"2026-11-22T07:30:00.123456Z","request_id":"req-1","traceparent":"{TRACEPARENT}","hash":"2058de2bc114d6c0a8091369bacbd8ff8d149a59084336d1f40f21fffe38855d"}}
"#
        )
    );
}

#[test]
fn p3_a_record_reads_back_as_it_was_written() {
    for body in [
        "{}",
        r#"{"id":"a","amount":"0.10","currency":"EUR","status":"failed","payer_name":"","transaction":"\u0000\n"}"#,
        r#"{"n":{"b":1e400,"a":[null,true,{"v":2,"hash":"x"}]},"received_at":"never"}"#,
    ] {
        let written = record(body);
        let read = LogRecord::parse(written.to_line().as_bytes(), at("2026-01-01T00:00:00Z"));
        assert_eq!(read, Ok(written), "{body}");
    }
}

#[test]
fn p3_a_changed_record_is_refused() {
    let line = record(r#"{"id":"a","amount":100}"#).to_line();
    assert_eq!(reason(&line.replace("100.00", "900.00")), "hash_mismatch");
    assert_eq!(
        reason(&line.replace("\"id\":\"a\"", "\"id\":\"b\"")),
        "hash_mismatch"
    );
    assert_eq!(
        reason(&line.replace("\"v\":1", "\"v\":9")),
        "unsupported_version"
    );
    assert_eq!(
        reason(&line.replace("\"v\":1", "\"v\":1,\"w\":1")),
        "malformed_record"
    );
    assert_eq!(
        reason(&line.replace("\"extra\":{}", "\"extra\":{\"id\":\"c\"}")),
        "malformed_record"
    );
    assert_eq!(
        reason(&line.replace("\"request_id\":\"req-1\",", "")),
        "malformed_record"
    );
    assert_eq!(reason(&line[..line.len() - 3]), "not_json");
}

fn of_client(client: &str, body: &str) -> LogRecord {
    let record = record(body);
    let payment = record.payment.of_client(client.parse().unwrap());
    let request_id = record.request_id.unwrap();
    LogRecord::new(payment, record.received_at, request_id, record.traceparent)
}

#[test]
fn p10_version_2_is_version_1_with_its_client() {
    let line = of_client("shop", r#"{"id":"test123","client":"mine"}"#).to_line();
    assert_eq!(
        line,
        format!(
            r#"{{"v":2,"client":"shop","id":"test123","status":"processed","extra":{{"client":"mine"}},"received_at":"2026-11-22T07:30:00.123456Z","request_id":"req-1","traceparent":"{TRACEPARENT}","hash":"434fb8ad6547db452e86b746eea9fdde44ec8cf108930a30a8f50e4e4556334a"}}
"#
        )
    );
}

#[test]
fn p10_a_record_moved_to_another_client_is_refused() {
    let line = of_client("shop", r#"{"id":"a","client":"mine"}"#).to_line();
    let changed = |from: &str, to: &str| {
        assert!(line.contains(from), "{line}");
        reason(&line.replacen(from, to, 1))
    };
    assert_eq!(
        changed(r#""client":"shop""#, r#""client":"other""#),
        "hash_mismatch"
    );
    assert_eq!(changed(r#""client":"shop","#, ""), "hash_mismatch");
    for odd in [
        r#""client":"","#,
        r#""client":null,"#,
        r#""client":"Shop","#,
    ] {
        assert_eq!(
            changed(r#""client":"shop","#, odd),
            "malformed_record",
            "{odd}"
        );
    }
    assert_eq!(changed(r#""v":2"#, r#""v":1"#), "malformed_record");
}

/// A writer of version 2 may leave the client out.
#[test]
fn p10_a_record_without_a_client_is_of_the_empty_name_in_either_version() {
    let written = record(r#"{"id":"a","client":"mine"}"#);
    let line = written.to_line().replace("\"v\":1", "\"v\":2");
    let read = LogRecord::parse(line.as_bytes(), at("2026-01-01T00:00:00Z"));
    assert_eq!(read, Ok(written));
}

#[test]
fn objects_of_older_systems_are_read() {
    let stored_at = at("2025-05-18T03:00:00Z");
    let body = r#"{"id": "tx_1747539198353", "amount": 100.0, "status": "processed"}"#;
    let record = LogRecord::parse(body.as_bytes(), stored_at).unwrap();
    assert_eq!(record.payment.id().as_str(), "tx_1747539198353");
    assert_eq!(record.payment.amount().unwrap().to_string(), "100.00");
    assert_eq!((record.received_at, record.request_id), (stored_at, None));
    let named = br#"{"id":"a","client":"shop"}"#;
    let payment = LogRecord::parse(named, stored_at).unwrap().payment;
    assert!(payment.client().is_empty());
    assert_eq!(payment.extra_json(), r#"{"client":"shop"}"#);
    assert_eq!(reason(r#"{"amount": 100.0}"#), "malformed_record");
    assert_eq!(reason(r#"{"id":"a","status":"pending"}"#), "invalid_member");
    assert_eq!(
        reason(r#"{"id":"a","card":"4111111111111111"}"#),
        "card_number"
    );
}

#[test]
fn trace_context_is_taken_only_in_its_form() {
    assert!(TraceParent::parse(TRACEPARENT).is_some());
    for bad in [
        "",
        "00-0-0-01",
        &TRACEPARENT.replace("00-", "01-"),
        &TRACEPARENT.to_uppercase(),
    ] {
        assert_eq!(TraceParent::parse(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn p3_strings_come_back_byte_for_byte(transaction in "\\PC{0,200}", name in any::<String>(), value in any::<String>()) {
        let body = serde_json::json!({"id": "a", "transaction": transaction, format!("x{name}"): value}).to_string();
        if let Ok(draft) = Draft::parse(body.as_bytes()) {
            let payment = draft.identify(None, || PaymentId::parse("made").unwrap()).unwrap();
            let written = LogRecord::new(payment, at("2026-11-22T07:30:00Z"), RequestId::parse("r").unwrap(), None);
            let line = written.to_line();
            prop_assert_eq!(line.matches('\n').count(), 1);
            let read = LogRecord::parse(line.as_bytes(), at("2026-01-01T00:00:00Z")).unwrap();
            prop_assert_eq!(read.payment.transaction(), Some(transaction.as_str()));
            prop_assert_eq!(read, written);
        }
    }

    #[test]
    fn any_bytes_give_a_record_or_a_reason(line in any::<Vec<u8>>()) {
        if let Err(error) = LogRecord::parse(&line, at("2026-01-01T00:00:00Z")) {
            prop_assert!(!error.reason().is_empty());
        }
    }
}

#[test]
fn a_traceparent_is_read_as_the_standard_has_it() {
    let parent = TraceParent::parse(TRACEPARENT).unwrap();
    assert_eq!(parent.trace_id(), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(parent.span_id(), "b7ad6b7169203331");
    assert!(parent.is_sampled());
    for bad in [
        "",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
    ] {
        assert_eq!(TraceParent::parse(bad), None, "{bad}");
    }
    for sampled in [true, false] {
        let own = TraceParent::new([7; 16], [9; 8], sampled);
        assert_eq!(own.is_sampled(), sampled);
        assert_eq!(TraceParent::parse(own.as_str()), Some(own));
    }
    assert!(TraceParent::parse(TraceParent::new([0; 16], [0; 8], true).as_str()).is_some());
}
