use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;
use crate::chain::{Node, ObjectHash, Purpose, Run, RunId};

const STORED_AT: Timestamp = Timestamp::EPOCH;

fn key(name: &str) -> ObjectKey {
    ObjectKey::parse(&format!("transactions/{name}")).unwrap()
}

/// Number, and payment id or reason, of each line.
fn lines(name: &str, body: impl AsRef<[u8]>) -> Vec<(u32, String)> {
    read_object(&key(name), body.as_ref(), STORED_AT)
        .map(|(line, result)| match result {
            Ok(record) => (line, record.payment.id().to_string()),
            Err(rejected) => (line, rejected.error.reason().to_owned()),
        })
        .collect()
}

fn named(expected: &[(u32, &str)]) -> Vec<(u32, String)> {
    let owned = |(line, text): &(u32, &str)| (*line, (*text).to_owned());
    expected.iter().map(owned).collect()
}

fn payment(id: &str) -> String {
    format!(r#"{{"id":"{id}","amount":"10.00"}}"#)
}

fn gzip(text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_ref()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn p2_a_bad_line_never_stops_the_good_ones() {
    let body = format!("{}\nnonsense\n\n{}", payment("a"), payment("b"));
    let expected = named(&[(1, "a"), (2, "not_json"), (4, "b")]);
    assert_eq!(lines("x.ndjson", &body), expected);
    assert_eq!(lines("x.ndjson", body.replace('\n', "\r\n")), expected);
    let first = format!("nonsense\n{}\n[\n", payment("a"));
    assert_eq!(
        lines("x.ndjson", first),
        named(&[(1, "not_json"), (2, "a"), (3, "not_json")])
    );
}

#[test]
fn p2_one_value_a_line_is_read_whatever_the_name() {
    let body = format!("{}\n{}\n", payment("a"), payment("b"));
    for name in [
        "x.ndjson",
        "x.jsonl",
        "x.ndjson.gz",
        "2026-11-26-18-20",
        "x.json",
        "x.log",
    ] {
        assert_eq!(lines(name, &body), named(&[(1, "a"), (2, "b")]), "{name}");
        assert_eq!(
            lines(name, gzip(&body)),
            named(&[(1, "a"), (2, "b")]),
            "{name}"
        );
    }
}

#[test]
fn p2_values_without_newlines_are_records_of_their_own() {
    let (a, b, c) = (payment("a"), payment("b"), payment("c"));
    for name in ["x.ndjson", "x"] {
        assert_eq!(
            lines(name, format!("{a}{b} {c}")),
            named(&[(1, "a"), (2, "b"), (3, "c")])
        );
        let body = format!("{a}{b}\n{{\"id\":\"?\"}}\n{c}\n");
        assert_eq!(
            lines(name, body),
            named(&[(1, "a"), (2, "b"), (3, "invalid_member"), (4, "c")])
        );
    }
    let broken = format!("{a}{b}{{\"id\":");
    assert_eq!(lines("x.ndjson", broken), named(&[(1, "not_json")]));
}

#[test]
fn p11_a_record_is_found_with_its_text_in_any_layout() {
    let (a, b) = (payment("a"), payment("b"));
    let pretty = b.replace(',', ",\n  ");
    for (number, text, body) in [
        (2, &b, format!("{a}\n{b}\n").into_bytes()),
        (3, &b, format!("{a}\r\n\r\n{b}\r\n").into_bytes()),
        (2, &b, format!("{a}{b}").into_bytes()),
        (2, &b, format!("[{a},{b}]").into_bytes()),
        (2, &b, format!("\u{feff}{a}\n{b}").into_bytes()),
        (2, &b, gzip(format!("{a}\n{b}\n"))),
        (1, &pretty, pretty.clone().into_bytes()),
    ] {
        let (read, record) = read_one(&key("x.json"), &body, STORED_AT, number).unwrap();
        assert_eq!(read, text.as_bytes());
        assert_eq!(record.payment.id().as_str(), "b");
        assert_eq!(LogRecord::parse(&read, STORED_AT), Ok(record));
        assert_eq!(read_one(&key("x.json"), &body, STORED_AT, 4), None);
    }
    let broken = &gzip(format!("{a}\n"))[..30];
    assert_eq!(read_one(&key("x.json"), broken, STORED_AT, 1), None);
}

#[test]
fn p2_elements_of_an_array_are_records_of_their_own() {
    let (a, b) = (payment("a"), payment("b"));
    for body in [format!("[{a},{b}]"), format!("[\n  {a},\n  {b}\n]\n")] {
        assert_eq!(lines("x.json", body), named(&[(1, "a"), (2, "b")]));
    }
    assert_eq!(
        lines("x.ndjson", format!("[{a},1]\n{b}\n")),
        named(&[(1, "a"), (2, "not_json"), (3, "b")])
    );
    assert_eq!(lines("x.json", "[]"), []);
}

#[test]
fn a_document_over_several_lines_is_one_record() {
    let pretty = payment("a").replace(',', ",\n  ");
    assert_eq!(lines("x.json", &pretty), named(&[(1, "a")]));
    assert_eq!(
        lines("x.json", format!("\n\n{pretty}\n")),
        named(&[(1, "a")])
    );
    assert_eq!(
        lines("x", format!("{pretty}\n{}", payment("b"))),
        named(&[(1, "a"), (2, "b")])
    );
    let csv = "id,amount\na,10.00\nb,10.00\n";
    assert_eq!(lines("x.csv", csv), named(&[(1, "not_json")]));
}

#[test]
fn an_object_without_content_has_no_lines() {
    for name in ["_SUCCESS", "x.json", "x.ndjson", "folder/"] {
        for body in ["", "\u{feff}", " \r\n\n"] {
            assert_eq!(lines(name, body), [], "{name} {body:?}");
        }
        assert_eq!(lines(name, gzip("")), [], "{name}");
    }
}

#[test]
fn p2_a_byte_order_mark_costs_no_payment() {
    let body = format!("\u{feff}{}\r\n{}\r\n", payment("a"), payment("b"));
    for name in ["x.ndjson", "x.json"] {
        assert_eq!(lines(name, &body), named(&[(1, "a"), (2, "b")]));
        assert_eq!(lines(name, gzip(&body)), named(&[(1, "a"), (2, "b")]));
    }
}

#[test]
fn what_is_no_text_is_refused_once() {
    let utf_16: Vec<u8> = payment("a")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let marked = [b"\xff\xfe".as_slice(), &utf_16].concat();
    let binary: Vec<u8> = (0..=255).cycle().take(4096).collect();
    for body in [utf_16, marked, binary] {
        let whole = named(&[(WHOLE_OBJECT, "unsupported_encoding")]);
        assert_eq!(lines("x.ndjson", &body), whole);
        assert_eq!(lines("x.json", gzip(&body)), whole);
    }
    let latin_1 = [
        payment("a").as_bytes(),
        b"\n{\"id\":\"b\",\"payer_name\":\"J\xfcrgen\"}\n",
    ]
    .concat();
    assert_eq!(
        lines("x.ndjson", latin_1),
        named(&[(1, "a"), (2, "not_json")])
    );
}

#[test]
fn broken_gzip_is_refused_once() {
    let whole = gzip(payment("a").repeat(100));
    for cut in [3, 12, whole.len() / 2, whole.len() - 1] {
        let refused = named(&[(WHOLE_OBJECT, "broken_gzip")]);
        assert_eq!(lines("x.ndjson", &whole[..cut]), refused, "{cut}");
    }
    let two = [gzip(payment("a") + "\n"), gzip(payment("b"))].concat();
    assert_eq!(lines("x.ndjson", two), named(&[(1, "a"), (2, "b")]));
}

#[test]
fn p2_a_line_that_is_too_large_stops_no_other() {
    let large = format!(r#"{{"id":"l","x":"{}"}}"#, "x".repeat(LINE_BYTES_MAX));
    let body = format!("{}\n{large}\n{}\n", payment("a"), payment("b"));
    assert_eq!(
        lines("x.ndjson", body),
        named(&[(1, "a"), (2, "too_large"), (3, "b")])
    );
    assert_eq!(lines("x.json", &large), named(&[(1, "too_large")]));
    let array = format!("[\n{large},\n{}]", payment("a"));
    assert_eq!(lines("x.json", array), named(&[(1, "too_large"), (2, "a")]));
}

/// `\b` is stored as `\u0008`.
#[test]
fn p2_a_record_is_judged_by_the_size_that_is_stored() {
    let around = |escape: &str, stored: usize| {
        let grown = if escape == "x" { 1 } else { 6 };
        format!(r#"{{"id":"l","x":"{}"}}"#, escape.repeat(stored / grown))
    };
    for escape in ["x", "\\b", "\\u0001"] {
        let fits = around(escape, LINE_BYTES_MAX - 64);
        assert_eq!(lines("x.ndjson", fits), named(&[(1, "l")]), "{escape}");
        let large = around(escape, LINE_BYTES_MAX + 64);
        let large = lines("x.ndjson", large);
        assert_eq!(large, named(&[(1, "too_large")]), "{escape}");
    }
    let large = around("\\b", LINE_BYTES_MAX + 64);
    let read = read_object(&key("x.ndjson"), large.as_bytes(), STORED_AT).next();
    let Some((1, Err(rejected))) = read else {
        panic!("{read:?}")
    };
    let id = rejected.payment.as_ref().map(|payment| payment.id.as_str());
    assert_eq!((rejected.is_own, id), (false, Some("l")));
}

#[test]
fn p2_a_part_is_bounded_by_the_memory_of_its_lines() {
    const LINES: usize = 40;
    const BYTES: usize = 300_000;
    for item in ["0", r#"{"":1}"#, "[0]", r#"{"a":{"":[]}}"#] {
        let items = vec![item; BYTES / item.len()].join(",");
        let line = format!("{{\"id\":\"a\",\"x\":[{items}]}}\n");
        let body = line.repeat(LINES);
        let parts = |body: &str| -> Vec<_> {
            let parts = read_parts(&key("x.ndjson"), body.as_bytes(), STORED_AT);
            parts.map(|part| (part.len(), memory(&part))).collect()
        };
        let one = parts(&line)[0].1;
        assert!(one < 32 * line.len(), "{item}: {one}");
        let all = parts(&body);
        assert_eq!(all.iter().map(|(lines, _)| lines).sum::<usize>(), LINES);
        for (_, part) in all {
            assert!(part < PART_BYTES + one, "{item}: {part}");
        }
    }
}

fn memory(lines: &[Line]) -> usize {
    let records = lines.iter().filter_map(|(_, record)| record.as_ref().ok());
    records.map(|record| record.payment.heap_bytes()).sum()
}

#[test]
fn p2_many_values_without_a_newline_are_read_in_bounded_memory() {
    let ids: Vec<_> = (0..90_000).map(|n| format!("id-{n}")).collect();
    let body: String = ids.iter().map(|id| payment(id)).collect();
    assert!(body.len() > 2 * LINE_BYTES_MAX);
    for name in ["x.ndjson", "x"] {
        let read = lines(name, &body);
        assert!(read.iter().map(|(_, id)| id).eq(&ids));
        assert!(read.iter().map(|(line, _)| *line).eq(1..=90_000));
    }
}

#[test]
fn what_one_run_can_not_take_is_refused_once() {
    let whole = named(&[(WHOLE_OBJECT, "too_large")]);
    let many = "{}\n".repeat(usize::try_from(OBJECT_LINES_MAX).unwrap() + 1);
    assert_eq!(lines("x.ndjson", many), whole);
    let bomb = gzip(vec![b' '; OBJECT_BYTES_MAX + 1]);
    assert!(bomb.len() < 1024 * 1024);
    assert_eq!(lines("x.ndjson", bomb), whole);
    let document = format!("{{\n\"x\":\"{}", "x".repeat(DOCUMENT_BYTES_MAX));
    assert_eq!(lines("x.json", document), whole);
}

#[test]
fn a_part_is_bounded_whatever_comes() {
    let bomb = gzip(format!("{}\n", payment("a")).repeat(50_000));
    let mut reader = ObjectReader::new(&key("x.ndjson"), STORED_AT);
    let (mut rest, mut read) = (bomb.as_slice(), 0);
    while !rest.is_empty() {
        rest = &rest[reader.push(rest)..];
        let part = reader.take();
        assert!(part.len() < 2 * GZIP_PIECE * 1032 / payment("a").len());
        read += part.len();
    }
    assert_eq!(reader.finish(), Ok(()));
    assert_eq!(read + reader.take().len(), 50_000);
}

proptest! {
    /// What an object holds does not depend on the pieces in which it comes.
    #[test]
    fn p2_pieces_change_nothing(
        parts in prop::collection::vec(prop_oneof![
            Just(payment("a")), Just("\n".to_owned()), Just("[".to_owned()), Just("]".to_owned()),
            Just(",".to_owned()), Just(" ".to_owned()), Just("{\"id\":".to_owned()), "\\PC{0,4}",
        ], 0..80),
        piece in 1..9_usize,
        zipped in any::<bool>(),
        name in prop_oneof![Just("x.ndjson"), Just("x.json")],
    ) {
        let body = if zipped { gzip(parts.concat()) } else { parts.concat().into_bytes() };
        let mut reader = ObjectReader::new(&key(name), STORED_AT);
        for piece in body.chunks(piece) {
            prop_assert_eq!(reader.push(piece), piece.len());
        }
        prop_assert_eq!(reader.finish(), Ok(()));
        let whole: Vec<_> = read_object(&key(name), &body, STORED_AT).collect();
        prop_assert_eq!(reader.take(), whole);
    }
}

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
