//! What a saboteur who knows the formats can write: records with their right hashes, their rows, and keys.

use std::{collections::BTreeMap, fmt::Write as _};

use payment_core::{Currency, Draft, LogRecord, PaymentId, RequestId, Timestamp};
use uuid::Uuid;

/// Prefix of all keys of the journal.
pub const PREFIX: &str = "transactions/";

/// A payment that nobody made.
pub fn record(unique: Uuid, at: Timestamp) -> Option<LogRecord> {
    let body = format!(r#"{{"id":"forged-{unique}","transaction":"forged","amount":"999.99"}}"#);
    let request = RequestId::from_stored(&format!("forged-{unique}"))?;
    sealed(&body, |payment| LogRecord::new(payment, at, request, None))
}

/// The same payment over one more unit of its currency, with the hash that it then has.
pub fn dearer(record: &LogRecord) -> Option<LogRecord> {
    let payment = &record.payment;
    let whole: u64 = payment
        .amount()?
        .to_string()
        .split('.')
        .next()?
        .parse()
        .ok()?;
    let members = [
        ("id", Some(payment.id().as_str())),
        ("transaction", payment.transaction()),
        ("currency", payment.currency().map(Currency::code)),
        ("status", Some(payment.status().as_str())),
        ("payer_name", payment.payer_name()),
    ];
    let members = members
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.to_owned())));
    let body: BTreeMap<_, _> = members
        .chain([("amount", (whole + 1).to_string())])
        .collect();
    let body = serde_json::to_string(&body).ok()?;
    let client = payment.client().clone();
    sealed(&body, |payment| {
        let payment = payment.of_client(client);
        let content_hash = payment.content_hash();
        LogRecord {
            payment,
            content_hash,
            ..record.clone()
        }
    })
}

fn sealed(
    body: &str,
    record: impl FnOnce(payment_core::Payment) -> LogRecord,
) -> Option<LogRecord> {
    let payment = Draft::parse(body.as_bytes()).ok()?;
    let payment = payment
        .identify(None, || PaymentId::made_from(Uuid::nil()))
        .ok()?;
    Some(record(payment))
}

/// The statement that makes the record a row of this line.
pub fn insert(record: &LogRecord, key: &str, line: u32) -> String {
    let values: Vec<_> = columns(record)
        .into_iter()
        .map(|(_, value)| value)
        .collect();
    let names: Vec<_> = columns(record).into_iter().map(|(name, _)| name).collect();
    format!(
        "INSERT INTO transactions ({}, object_key, object_line) VALUES ({}, '{key}', {line})",
        names.join(", "),
        values.join(", ")
    )
}

/// The statement that makes the record's row say what the record says.
pub fn update(record: &LogRecord) -> String {
    let set = columns(record)
        .into_iter()
        .fold(String::new(), |mut set, (name, value)| {
            let comma = if set.is_empty() { "" } else { ", " };
            let _ = write!(set, "{comma}{name} = {value}");
            set
        });
    let payment = record.payment.key();
    format!(
        "UPDATE transactions SET {set} WHERE payment_id = '{}' AND client = '{}'",
        payment.id, payment.client
    )
}

fn columns(record: &LogRecord) -> [(&'static str, String); 11] {
    let payment = &record.payment;
    let text = |text: Option<&str>| {
        text.map_or_else(
            || "NULL".to_owned(),
            |text| {
                let bytes = text.bytes().fold(String::new(), |mut hex, byte| {
                    let _ = write!(hex, "{byte:02x}");
                    hex
                });
                format!("X'{bytes}'")
            },
        )
    };
    let amount = payment.amount().map(|amount| amount.to_string());
    let request = record.request_id.as_ref().map(RequestId::as_str);
    let received_at = record
        .received_at
        .to_string()
        .replace('T', " ")
        .replace('Z', "");
    [
        ("payment_id", text(Some(payment.id().as_str()))),
        ("client", text(Some(payment.client().as_str()))),
        ("transaction", text(payment.transaction())),
        ("amount", amount.unwrap_or_else(|| "NULL".to_owned())),
        ("currency", text(payment.currency().map(Currency::code))),
        ("status", text(Some(payment.status().as_str()))),
        ("payer_name", text(payment.payer_name())),
        ("extra", text(Some(&payment.extra_json()))),
        ("received_at", format!("'{received_at}'")),
        ("request_id", text(request)),
        ("content_hash", format!("X'{}'", record.content_hash)),
    ]
}

/// A body of these lines.
pub fn body(lines: &[String]) -> String {
    lines
        .iter()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}
