//! Bodies made of valid members: the reader of the journal accepts what the intake accepts, as the same payment
//! (promise P2).
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use payment_core::json::DEPTH_MAX;
use payment_core::payment::BODY_BYTES_MAX;
use payment_core::record::LINE_BYTES_MAX;
use payment_core::{Draft, LogRecord, PaymentError, PaymentId, RequestId, Timestamp};
use uuid::Uuid;

/// Member names of the record and of its content.
const NAMES: [&str; 14] = [
    "v",
    "id",
    "transaction",
    "amount",
    "currency",
    "status",
    "payer_name",
    "extra",
    "received_at",
    "request_id",
    "traceparent",
    "hash",
    "client",
    "",
];

const AMOUNTS: [&str; 6] = [
    "1",
    "0.10",
    "999999999999999.99",
    "12345e-2",
    "1.5E+3",
    "null",
];

const CURRENCIES: [&str; 5] = ["\"USD\"", "\"JPY\"", "\"KWD\"", "\"CLF\"", "null"];

#[derive(Debug)]
struct Sent {
    body: String,
    key: Option<String>,
}

impl<'a> Arbitrary<'a> for Sent {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut members = vec![
            member("amount", input.choose(&AMOUNTS)?),
            member("currency", input.choose(&CURRENCIES)?),
            member("transaction", &literal(&text(input, 255)?, input)?),
            member("payer_name", &literal(&text(input, 100)?, input)?),
            member(
                "status",
                input.choose(&["\"failed\"", "\"processed\"", "null"])?,
            ),
        ];
        members.retain(|_| input.arbitrary().unwrap_or(false));
        let mut names: HashSet<_> = NAMES[1..7].iter().map(ToString::to_string).collect();
        push_members(&mut members, &mut names, input, DEPTH_MAX - 1)?;
        let mut body = format!("{{{}}}", members.join(","));
        if body.len() > BODY_BYTES_MAX {
            body = "{}".to_owned();
        }
        let key = input.arbitrary::<Option<u64>>()?;
        Ok(Self {
            body,
            key: key.map(|key| format!("k{key}")),
        })
    }
}

/// Adds members with names of their own.
fn push_members(
    members: &mut Vec<String>,
    names: &mut HashSet<String>,
    input: &mut Unstructured<'_>,
    levels: usize,
) -> Result<()> {
    for _ in 0..input.int_in_range(0..=4)? {
        let name = match input.ratio(2, 3)? {
            true => (*input.choose(&NAMES)?).to_owned(),
            false => text(input, 20)?,
        };
        if names.insert(name.clone()) {
            let name = literal(&name, input)?;
            members.push(format!("{name}:{}", value(input, levels)?));
        }
    }
    Ok(())
}

/// Returns a value that nests at most so many levels.
fn value(input: &mut Unstructured<'_>, levels: usize) -> Result<String> {
    let kind = if levels == 0 { 2..=5 } else { 0..=5 };
    Ok(match input.int_in_range(kind)? {
        0 => {
            let mut members = Vec::new();
            push_members(&mut members, &mut HashSet::new(), input, levels - 1)?;
            format!("{{{}}}", members.join(","))
        }
        1 => {
            let count = input.int_in_range(0..=3)?;
            let items: Result<Vec<_>> = (0..count).map(|_| value(input, levels - 1)).collect();
            format!("[{}]", items?.join(","))
        }
        2 => literal(&text(input, 60)?, input)?,
        3 => format!(
            "{}.{}e{}",
            input.arbitrary::<i32>()?,
            input.arbitrary::<u16>()?,
            input.arbitrary::<i8>()?
        ),
        4 => input.arbitrary::<i64>()?.to_string(),
        _ => (*input.choose(&["null", "true", "false", "-0", "1e400"])?).to_owned(),
    })
}

fn text(input: &mut Unstructured<'_>, chars_max: usize) -> Result<String> {
    Ok(input.arbitrary::<&str>()?.chars().take(chars_max).collect())
}

/// Returns a string literal, each character verbatim or escaped.
fn literal(text: &str, input: &mut Unstructured<'_>) -> Result<String> {
    let seed = input.arbitrary::<u64>()?;
    let mut literal = "\"".to_owned();
    for (at, c) in (0..).zip(text.chars()) {
        if c <= '\u{1f}' || c == '"' || c == '\\' || seed.rotate_left(at) & 3 == 3 {
            for unit in c.encode_utf16(&mut [0; 2]) {
                literal += &format!("\\u{unit:04x}");
            }
        } else {
            literal.push(c);
        }
    }
    Ok(literal + "\"")
}

fn member(name: &str, value: &str) -> String {
    format!("\"{name}\":{value}")
}

fuzz_target!(|sent: Sent| {
    let made = || PaymentId::made_from(Uuid::nil());
    let draft = Draft::parse(sent.body.as_bytes());
    let payment = match draft.and_then(|draft| draft.identify(sent.key.as_deref(), made)) {
        Ok(payment) => payment,
        // Random input has such members sometimes, and some amounts with more decimals than their currency has.
        Err(PaymentError::CardNumber { .. } | PaymentError::Amount(_)) => return,
        Err(error) => panic!("{error}"),
    };
    let request_id = RequestId::parse("r").expect("a letter is a request id");
    let record = LogRecord::new(payment, Timestamp::EPOCH, request_id, None);
    let line = record.to_line();
    assert!(line.len() <= LINE_BYTES_MAX);
    let read = LogRecord::parse(line.trim_end().as_bytes(), Timestamp::EPOCH);
    assert_eq!(read.as_ref(), Ok(&record));
});
