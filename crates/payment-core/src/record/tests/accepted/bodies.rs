//! Bodies that keep every rule of the door, written in every way that JSON has.

use std::collections::HashSet;
use std::fmt::Write as _;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::Currency;
use crate::amount::WHOLE_DIGITS_MAX;
use crate::json::DEPTH_MAX;
use crate::payment::{BODY_BYTES_MAX, PAYER_NAME_CHARS_MAX, TRANSACTION_CHARS_MAX, known_name};

#[derive(Debug, Clone)]
pub struct Sent {
    pub body: String,
    /// The header Idempotency-Key.
    pub key: Option<String>,
}

/// A member's name and value, both in JSON.
type Member = (String, String);

/// Names of the record and of its content, and some that look like them.
const NAMES: [&str; 20] = [
    "v",
    "V",
    "id",
    "Id",
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
    " id",
    "id\0",
    "ıd",
    "__proto__",
];

/// What a body is filled up with: each grows in the line, shrinks, or stays.
const FILLERS: [&str; 6] = ["x", "\\b", "\\u0041", "\\/", "😀", "\\ud83d\\ude00"];

/// The body is the first level.
const DEPTH_BELOW: usize = DEPTH_MAX - 1;

/// A body, with or without an id of its own, and the header beside it.
pub fn sent() -> impl Strategy<Value = Sent> {
    let members = (texts(), money(), vec(member(value()), 0..8));
    let members = members.prop_map(|(texts, money, extra)| {
        let is_known = |(name, _): &Member| known_name(&decoded(name)).is_some();
        let extra = extra.into_iter().filter(|member| !is_known(member));
        texts
            .into_iter()
            .chain(money)
            .chain(extra)
            .collect::<Vec<_>>()
    });
    let filler = option::weighted(0.2, select(&FILLERS[..]));
    let id = (option::of(id()), any::<[bool; 3]>(), any::<u64>());
    let parts = (members.prop_shuffle(), filler, id);
    parts.prop_map(
        |(mut members, filler, (id, [in_body, in_header, quoted], seed))| {
            if let Some(id) = id.as_ref().filter(|_| in_body) {
                members.push((spell("id", seed), spell(id, !seed)));
            }
            let quote = if quoted { "\"" } else { "" };
            Sent {
                body: body(members, filler),
                key: id
                    .filter(|_| in_header)
                    .map(|id| format!("{quote}{id}{quote}")),
            }
        },
    )
}

/// As many of the members as fit, from the last to the first; with a filler, to the last byte or nearly.
fn body(members: Vec<Member>, filler: Option<&str>) -> String {
    let mut body = r#"{"end":""#.to_owned();
    let mut rest = "\"}".to_owned();
    for (name, value) in distinct(members.into_iter().rev()) {
        let member = format!(",\n{name} : {value}");
        if body.len() + member.len() + rest.len() <= BODY_BYTES_MAX {
            rest.insert_str(1, &member);
        }
    }
    if let Some(filler) = filler {
        let room = BODY_BYTES_MAX - body.len() - rest.len();
        body.push_str(&filler.repeat(room / filler.len()));
    }
    body + &rest
}

fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,64}".prop_filter("only dots", |id| id.bytes().any(|b| b != b'.'))
}

/// Those known members that are text, each right, null or absent.
fn texts() -> impl Strategy<Value = Vec<Member>> {
    let member = |name: &'static str, value: BoxedStrategy<String>| {
        let value = prop_oneof![4 => value, 1 => Just("null".to_owned())];
        let member = (any::<u64>(), value).prop_map(|(seed, value)| (spell(name, seed), value));
        option::of(member)
    };
    let status = literal(select(&["processed", "failed"][..]).prop_map(str::to_owned));
    let members = (
        member("transaction", literal(text(TRANSACTION_CHARS_MAX)).boxed()),
        member("payer_name", literal(text(PAYER_NAME_CHARS_MAX)).boxed()),
        member("status", status.boxed()),
    );
    members.prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
}

/// Amount and currency, each right, null or absent.
fn money() -> impl Strategy<Value = Vec<Member>> {
    let codes: Vec<_> = Currency::all().map(Currency::code).collect();
    let size = (any::<u64>(), 0..u64::BITS).prop_map(|(bits, shift)| bits >> shift);
    let amount = option::of((size, 0..5_u8, any::<bool>()));
    (amount, option::of(option::of(select(codes)))).prop_map(|(amount, currency)| {
        let named = currency.flatten().and_then(Currency::parse);
        let decimals = named.unwrap_or(Currency::USD).decimals();
        let amount = amount.map(|(size, form, quoted)| match written(size, decimals, form) {
            number if quoted && number != "null" => format!("\"{number}\""),
            number => number,
        });
        let code =
            |code: Option<&str>| code.map_or("null".to_owned(), |code| format!("\"{code}\""));
        let currency = currency.map(|currency| (spell("currency", 0), code(currency)));
        let amount = amount.map(|amount| (spell("amount", 0), amount));
        amount.into_iter().chain(currency).collect()
    })
}

/// An amount in one of the ways to write it; `size` says how large it is.
fn written(size: u64, decimals: usize, form: u8) -> String {
    let unit = 10_u64.pow(decimals.try_into().unwrap());
    let most = 10_u64.pow((WHOLE_DIGITS_MAX + decimals).try_into().unwrap());
    let units = (size % most).max(1);
    let (whole, fraction) = (units / unit, format!("{:0decimals$}", units % unit));
    match form {
        0 => "null".to_owned(),
        1 => format!("{units}e-{decimals}"),
        2 => format!("{units}.0E-0{decimals}"),
        3 if decimals > 0 => format!("{whole}.{fraction}000"),
        _ if decimals > 0 => format!("{whole}.{fraction}"),
        _ => whole.to_string(),
    }
}

fn member(value: impl Strategy<Value = String>) -> impl Strategy<Value = Member> {
    let name = prop_oneof![select(&NAMES[..]).prop_map(str::to_owned), text(8)];
    (literal(name), value)
}

/// Any value that a body may hold, some as deep as may be.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        select(&["null", "true", "false"][..]).prop_map(str::to_owned),
        "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,20})?([eE][-+]?[0-9]{1,4})?",
        literal(text(40)),
    ];
    let levels = u32::try_from(DEPTH_BELOW).unwrap();
    let nested = scalar.clone().prop_recursive(levels, 32, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(" , "))),
            vec(member(inner), 0..4).prop_map(object),
        ]
    });
    let wrapping = vec(
        option::of(literal(select(&NAMES[..]).prop_map(str::to_owned))),
        DEPTH_BELOW,
    );
    let deep = (scalar, wrapping).prop_map(|(scalar, wrapping)| {
        wrapping.into_iter().fold(scalar, |inner, name| match name {
            Some(name) => format!("{{{name}:{inner}}}"),
            None => format!("[{inner}]"),
        })
    });
    prop_oneof![3 => nested, 1 => deep]
}

fn object(members: Vec<Member>) -> String {
    let members = distinct(members.into_iter()).map(|(name, value)| format!("{name}:{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

/// The first member of each name, however it is written.
fn distinct(members: impl Iterator<Item = Member>) -> impl Iterator<Item = Member> {
    let mut seen = HashSet::from(["end".to_owned()]);
    members.filter(move |(name, _)| seen.insert(decoded(name)))
}

/// Any text, often as long as may be.
fn text(chars_max: usize) -> impl Strategy<Value = String> {
    let length = prop_oneof![3 => 0..chars_max, 1 => Just(chars_max)];
    let chars = length.prop_flat_map(|length| vec(any::<char>(), length));
    chars.prop_map(String::from_iter)
}

fn literal(text: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (text, any::<u64>()).prop_map(|(text, seed)| spell(&text, seed))
}

/// A string literal; the seed says for each character in which of JSON's ways it is written.
fn spell(text: &str, mut seed: u64) -> String {
    let mut literal = "\"".to_owned();
    for c in text.chars() {
        seed = seed.rotate_left(1);
        let short = match c {
            '\u{8}' => "\\b",
            '\u{c}' => "\\f",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '"' => "\\\"",
            '\\' => "\\\\",
            '/' => "\\/",
            _ => "",
        };
        let is_control = c <= '\u{1f}';
        if seed & 3 == 3 || (is_control && short.is_empty()) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a String can't fail.
                let _ = write!(literal, "\\u{unit:04X}");
            }
        } else if short.is_empty() {
            literal.push(c);
        } else {
            literal.push_str(short);
        }
    }
    literal + "\""
}

fn decoded(literal: &str) -> String {
    serde_json::from_str(literal).unwrap()
}
