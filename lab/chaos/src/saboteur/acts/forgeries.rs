//! Objects that no tier wrote, alone and with the ledger entry and rows that would make them look true.

use payment_core::{LogRecord, ObjectKey, Timestamp, chain::Header};
use time::Duration;
use uuid::Builder;

use super::{Draw, Saboteur};
use crate::saboteur::{act::Act, forge, journal::Object};

pub const ALL: &[(&str, Draw)] = &[
    ("insert an object without a header", |s| {
        let (key, record) = without_header(s)?;
        Some(forged(&key, None, &record))
    }),
    (
        "insert an object without a header, a row and an entry",
        |s| {
            let (key, record) = without_header(s)?;
            Some(recorded(&key, None, &record))
        },
    ),
    ("insert an object under a taken number", |s| {
        let object = s.object(|object| object.is_settled && object.header.is_some())?;
        let (key, header, record) = beside(s, object, |header| header.seq)?;
        Some(forged(&key, Some(&header), &record))
    }),
    (
        "insert an object under a taken number, a row and an entry",
        |s| {
            let object = s.object(|object| object.is_settled && object.header.is_some())?;
            let (key, header, record) = beside(s, object, |header| header.seq)?;
            Some(recorded(&key, Some(&header), &record))
        },
    ),
    // Two objects claim one number, and nobody knows which is right: both are named.
    (
        "insert an object under a number of an open tail, a row and an entry",
        |s| {
            let object = s.object(|object| {
                !object.is_settled && object.header.as_ref().is_some_and(|header| !header.end)
            })?;
            let (key, header, record) = beside(s, object, |header| header.seq)?;
            let act = recorded(&key, Some(&header), &record);
            Some(act.names_object(&object.key))
        },
    ),
    (
        "insert an object behind the end of a run, a row and an entry",
        |s| behind_an_end(s, 1),
    ),
    (
        "insert an object far behind the end of a run, a row and an entry",
        |s| behind_an_end(s, 1_000_000),
    ),
    (
        "insert an object of one node's run under another node, a row and an entry",
        |s| {
            let object = s.object(|object| object.is_settled && object.header.is_some())?;
            let journal = s.journal;
            let other = s.object(|other| {
                let header = other.header.as_ref();
                let is_ended = header.is_some_and(|header| journal.end_of_run(header).is_some());
                is_ended && other.node() != object.node()
            })?;
            let (_, own, record) = beside(s, object, |header| header.seq)?;
            let node = other.header.as_ref()?.node;
            let key = s.key_after(other, 3)?;
            let header = Header { node, ..own };
            Some(recorded(&key, Some(&header), &record))
        },
    ),
    ("insert an object with another node's header", |s| {
        let object = s.settled()?;
        let other = s.object(|other| other.header.is_some() && other.node() != object.node())?;
        let (key, ..) = beside(s, object, |header| header.seq)?;
        let record = forge::record(s.unique(), other.at()?)?;
        Some(forged(&key, other.header.as_ref(), &record))
    }),
    (
        "insert an object under a key that no tier makes, a row and an entry",
        |s| {
            let object = s.settled()?;
            let (_, header, record) = beside(s, object, |header| header.seq + 1)?;
            let (folder, _) = object.key.as_str().rsplit_once('/')?;
            let random = Builder::from_random_bytes(*s.unique().as_bytes()).into_uuid();
            let node = object.node()?;
            let key = ObjectKey::parse(&format!("{folder}/{random}-{node}.ndjson"))?;
            Some(recorded(&key, Some(&header), &record))
        },
    ),
    (
        "insert an object into the folder of another hour, a row and an entry",
        |s| {
            let object = s.settled()?;
            let (key, header, record) = beside(s, object, |header| header.seq)?;
            let (_, name) = key.as_str().rsplit_once('/')?;
            let late = Timestamp::new(object.at()?.to_utc() + Duration::hours(1));
            let folder = ObjectKey::hour_prefix(forge::PREFIX, late);
            let key = ObjectKey::parse(&format!("{folder}{name}"))?;
            Some(recorded(&key, Some(&header), &record))
        },
    ),
    ("copy an object under another key", |s| {
        let object = s.batch()?;
        let key = s.key_after(object, 5)?;
        Some(
            Act::default()
                .put(&key, object.body.clone())
                .names_object(&key),
        )
    }),
    ("copy an object under another key, with an entry", |s| {
        let object = s.settled_rows()?;
        let key = s.key_after(object, 5)?;
        let repeats = u32::try_from(object.records.len()).ok()?;
        Some(
            Act::default()
                .put(&key, object.body.clone())
                .enter(&key, 0, repeats)
                .names_object(&key),
        )
    }),
    ("insert an object of another system's form", |s| {
        let object = s.batch()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let key = ObjectKey::parse(&format!("transactions/{}.json", record.payment.id()))?;
        let body = format!(r#"{{"id":"{}","amount":"12.00"}}"#, record.payment.id());
        let act = Act::default().put(&key, body).names_object(&key);
        Some(act.affects(record.payment.key().into()))
    }),
];

/// A key and a payment, at a time at which batches have headers.
fn without_header(s: &mut Saboteur<'_>) -> Option<(ObjectKey, LogRecord)> {
    let since: Timestamp = s.journal.chained_since()?;
    let object = s.object(|object| object.at().is_some_and(|at| at > since))?;
    let key = s.key_after(object, 1)?;
    Some((key, forge::record(s.unique(), object.at()?)?))
}

/// A key, a header with this number, and a payment, as if the object's run had written them right after it.
fn beside(
    s: &mut Saboteur<'_>,
    object: &Object,
    seq: impl Fn(&Header) -> u64,
) -> Option<(ObjectKey, Header, LogRecord)> {
    let own = object.header.as_ref()?;
    let key = s.key_after(object, 2)?;
    let header = Header {
        seq: seq(own),
        ..own.clone()
    };
    Some((key, header, forge::record(s.unique(), object.at()?)?))
}

fn forged(key: &ObjectKey, header: Option<&Header>, record: &LogRecord) -> Act {
    let header = header.map_or_else(String::new, Header::to_line);
    let act = Act::default().put(key, header + &record.to_line());
    act.names_object(key).affects(record.payment.key().into())
}

/// The same, and the payment is a row and the ledger knows the object.
fn recorded(key: &ObjectKey, header: Option<&Header>, record: &LogRecord) -> Act {
    let line = if header.is_some() { 2 } else { 1 };
    forged(key, header, record)
        .enter(key, 1, 0)
        .sql(forge::insert(record, key.as_str(), line))
}

/// An object so many numbers behind the end of a run, with its row and its entry.
fn behind_an_end(s: &mut Saboteur<'_>, by: u64) -> Option<Act> {
    let end = s.object(|object| object.header.as_ref().is_some_and(|header| header.end))?;
    let (key, header, record) = beside(s, end, |header| header.seq + by)?;
    let header = Header {
        end: false,
        ..header
    };
    Some(recorded(&key, Some(&header), &record))
}
