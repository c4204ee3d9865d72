//! A batch that begins with a header.

use super::*;
use crate::chain::{Node, ObjectHash, Purpose, Run, RunId};

const NODE: &str = "00b1c2d3";

fn own_key(node: &str) -> ObjectKey {
    ObjectKey::batch("transactions/", STORED_AT, uuid::Uuid::from_u128(7), node)
}

fn header() -> String {
    let run = uuid::Builder::from_unix_timestamp_millis(1, &[0; 10]).into_uuid();
    let mut run = Run::new(RunId::new(run).unwrap(), Node::parse(NODE).unwrap());
    run.seal(Purpose::Payments, STORED_AT).header().to_line()
}

/// A payment as this system writes it.
fn own_line(id: &str) -> String {
    LogRecord::parse(payment(id).as_bytes(), STORED_AT)
        .map(|record| LogRecord {
            request_id: crate::RequestId::parse("req-1"),
            ..record
        })
        .unwrap()
        .to_line()
}

/// Number, and payment id or reason, of each line; and whether the object has a header.
fn read_own(key: &ObjectKey, body: impl AsRef<[u8]>) -> (Vec<(u32, String)>, bool) {
    let body = body.as_ref();
    let mut reader = ObjectReader::new(key, STORED_AT);
    assert_eq!(reader.push(body), body.len());
    reader.finish().unwrap();
    let named = |(line, read): Line| match read {
        Ok(record) => (line, record.payment.id().to_string()),
        Err(rejected) => {
            assert!(rejected.is_own, "it is loud");
            (line, rejected.error.reason().to_owned())
        }
    };
    let lines = reader.take().into_iter().map(named).collect();
    assert_eq!(read_header(key, body).as_ref(), reader.header());
    assert_eq!(reader.sha256(), ObjectHash::of(body));
    (lines, reader.header().is_some())
}

#[test]
fn p11_a_header_is_line_1_and_neither_payment_nor_reject() {
    let key = own_key(NODE);
    let body = header() + &own_line("a") + &own_line("b");
    let expected = named(&[(2, "a"), (3, "b")]);
    assert_eq!(read_own(&key, &body), (expected.clone(), true));
    assert_eq!(read_own(&key, header()), (vec![], true));
    assert_eq!(read_own(&key, header().trim_end()), (vec![], true));
    // Byte for byte, as it arrives.
    let mut reader = ObjectReader::new(&key, STORED_AT);
    for byte in body.as_bytes() {
        reader.push(&[*byte]);
    }
    reader.finish().unwrap();
    assert_eq!(reader.take().len(), expected.len());
    assert_eq!(reader.header().map(Header::to_line), Some(header()));
    assert_eq!(reader.sha256(), ObjectHash::of(body.as_bytes()));
}

#[test]
fn p11_a_header_anywhere_else_is_rejected_and_hides_no_payment() {
    let (header, own) = (header(), own_key(NODE));
    let (a, b) = (own_line("a"), own_line("b"));
    let bad = "invalid_header";
    let first = named(&[(1, bad), (2, "a")]);
    for (key, body, expected) in [
        (&own_key("00b1c2d4"), format!("{header}{a}"), first.clone()),
        (&own_key("b1c2d3"), format!("{header}{a}"), first.clone()),
        (&key("x.ndjson"), format!("{header}{a}"), first.clone()),
        (&key("x.json"), format!("{header}{a}"), first.clone()),
        (&own, format!(" {header}{a}"), first.clone()),
        (&own, format!("\u{feff}{header}{a}"), first),
        (&own, format!("\n{header}{a}"), named(&[(2, bad), (3, "a")])),
        (
            &own,
            format!("{a}{header}{b}"),
            named(&[(1, "a"), (2, bad), (3, "b")]),
        ),
        (
            &own,
            format!("{}{a}", header.trim_end()),
            named(&[(1, bad), (2, "a")]),
        ),
    ] {
        assert_eq!(read_own(key, &body), (expected, false), "{body}");
    }
    assert_eq!(
        read_own(&own, format!("{header}{header}{a}")),
        (named(&[(2, bad), (3, "a")]), true)
    );
    assert_eq!(
        read_own(&own, gzip(header + &a)),
        (named(&[(1, bad), (2, "a")]), false)
    );
}

proptest! {
    #[test]
    fn p2_whatever_becomes_of_a_header_the_payments_behind_it_are_read(
        at in any::<prop::sample::Index>(),
        byte in any::<u8>().prop_filter("ends a line", |byte| *byte != b'\n'),
    ) {
        let mut body = (header() + &own_line("a")).into_bytes();
        let at = at.index(header().len() - 1);
        body[at] = byte;
        let (lines, has_header) = read_own(&own_key(NODE), &body);
        prop_assert_eq!(lines.last(), Some(&(2, "a".to_owned())));
        prop_assert_eq!(lines.len(), 2 - usize::from(has_header));
    }
}
