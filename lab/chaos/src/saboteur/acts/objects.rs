//! Acts on objects that the tiers wrote: alone, or together with ledger entry and rows.
//!
//! What leaves no trace in ledger and rows is done to settled objects: of an open tail nobody can know.

use payment_core::chain::{Header, ObjectHash};

use super::{Draw, Saboteur};
use crate::saboteur::{
    act::{Accused, Act},
    forge,
    journal::Object,
};

pub const ALL: &[(&str, Draw)] = &[
    ("delete an object", |s| {
        let object = s.object(|object| object.key.is_own_batch())?;
        Some(
            Act::default()
                .delete(&object.key)
                .names_object(&object.key)
                .affects_payments_of(object),
        )
    }),
    ("delete an object and its entry", |s| {
        let object = s.settled()?;
        let act = Act::default().delete(&object.key).sql(delete_entry(object));
        Some(act.names_object(&object.key).affects_payments_of(object))
    }),
    ("delete an object, its entry and its rows", |s| {
        let object = s.settled()?;
        Some(delete_all(Act::default(), object))
    }),
    ("delete three objects, their entries and their rows", |s| {
        let objects = [s.settled()?, s.settled()?, s.settled()?];
        let mut act = objects.into_iter().fold(Act::default(), delete_all);
        // Behind a hole in a run, verify knows by their numbers that others are gone, and not by their keys.
        let number = |object: &Object| Some(object.header.as_ref()?.seq);
        for object in objects {
            let mut others = objects.iter().filter(|other| other.node() == object.node());
            if others.any(|other| number(other) > number(object)) {
                act.named.remove(&Accused::Object(object.key.to_string()));
                act = act.affects(Accused::Object(object.key.to_string()));
            }
        }
        Some(act)
    }),
    ("change a digit in an object", |s| {
        let object = s.batch()?;
        let digit = object.body.rfind("\"amount\":\"")? + "\"amount\":\"".len();
        let other = if object.body.as_bytes().get(digit) == Some(&b'1') {
            "2"
        } else {
            "1"
        };
        let mut body = object.body.clone();
        body.replace_range(digit..=digit, other);
        Some(rewritten(object, body).affects_payments_of(object))
    }),
    ("change an amount with its hash in an object", |s| {
        let object = s.batch()?;
        Some(dearer(s, object)?.0.affects_payments_of(object))
    }),
    ("change an amount in an object and its row", |s| {
        let object = s.settled_rows()?;
        let (act, row) = dearer(s, object)?;
        Some(act.sql(row).affects_payments_of(object))
    }),
    (
        "change an amount in an object, its row and its entry",
        |s| {
            let object = s.settled_rows()?;
            let (act, row) = dearer(s, object)?;
            Some(act.sql(row).vouch(&object.key).affects_payments_of(object))
        },
    ),
    ("drop a line of an object", |s| {
        let object = s.batch()?;
        let mut lines = object.lines();
        let lines_of = (1..lines.len()).collect::<Vec<_>>();
        lines.remove(lines_of[s.pick(&lines_of)?]);
        Some(rewritten(object, forge::body(&lines)).affects_payments_of(object))
    }),
    ("drop a line of an object, its row and its count", |s| {
        let object = s.settled_rows()?;
        let (last, _) = object.records.last_key_value()?;
        let mut lines = object.lines();
        lines.pop();
        let act = rewritten(object, forge::body(&lines));
        let row = format!(
            "DELETE FROM transactions WHERE object_key = '{}' AND object_line = {last}",
            object.key
        );
        Some(
            act.sql(row)
                .sql(count(object, -1))
                .vouch(&object.key)
                .affects_payments_of(object),
        )
    }),
    ("add a line to an object", |s| {
        let object = s.batch()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let act = rewritten(object, format!("{}{}", object.body, record.to_line()));
        Some(
            act.affects(record.payment.key().into())
                .affects_payments_of(object),
        )
    }),
    ("add a line to an object, its row and its count", |s| {
        let object = s.settled_rows()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let act = rewritten(object, format!("{}{}", object.body, record.to_line()));
        let line = u32::try_from(object.lines().len() + 1).ok()?;
        let row = forge::insert(&record, object.key.as_str(), line);
        let recorded = format!(
            "UPDATE transactions SET recorded_at = (SELECT ingested_at FROM ingested_objects WHERE object_key = '{}') \
             WHERE payment_id = '{}'",
            object.key,
            record.payment.id()
        );
        Some(
            act.sql(row)
                .sql(recorded)
                .sql(count(object, 1))
                .vouch(&object.key),
        )
    }),
    ("swap two lines of an object", |s| {
        let object = s.object(|object| object.header.is_some() && object.records.len() > 1)?;
        Some(swapped(s, object)?.0.affects_payments_of(object))
    }),
    ("swap two lines of an object and their rows", |s| {
        let object = s.settled_rows()?;
        let (act, rows) = swapped(s, object)?;
        Some(act.sql(rows).vouch(&object.key))
    }),
    ("exchange the bodies of two objects", |s| {
        let (one, other) = (s.batch()?, s.batch()?);
        let act = exchanged(one, other)?;
        Some(act.affects_payments_of(one).affects_payments_of(other))
    }),
    (
        "exchange the bodies of two objects, their rows and entries",
        |s| {
            let (one, other) = (s.settled_rows()?, s.settled_rows()?);
            if one.node() != other.node() {
                return None;
            }
            let (a, b) = (&one.key, &other.key);
            let act = exchanged(one, other)?;
            let exchange = format!(
                "object_key = CASE object_key WHEN '{a}' THEN '{b}' ELSE '{a}' END WHERE object_key IN ('{a}', '{b}')"
            );
            let counts = ["line_count", "row_count", "ingested_at"]
                .map(|name| format!("t.{name} = o.{name}"));
            let counts = format!(
                "UPDATE ingested_objects t JOIN kept.ingested_objects o \
             ON (t.object_key = '{a}' AND o.object_key = '{b}') OR (t.object_key = '{b}' AND o.object_key = '{a}') \
             SET {}",
                counts.join(", ")
            );
            Some(
                act.sql(format!("UPDATE transactions SET {exchange}"))
                    .sql(counts)
                    .vouch(a)
                    .vouch(b),
            )
        },
    ),
    ("rename an object, with its rows and its entry", |s| {
        let object = s.settled()?;
        let key = s.key_after(object, 7)?;
        let mut act = Act::default()
            .delete(&object.key)
            .put(&key, object.body.clone());
        for table in ["transactions", "conflicts", "rejects", "ingested_objects"] {
            act = act.sql(format!(
                "UPDATE {table} SET object_key = '{key}' WHERE object_key = '{}'",
                object.key
            ));
        }
        Some(act.names_object(&object.key).names_object(&key))
    }),
    ("empty an object, with its rows and counts", |s| {
        let object = s.settled_rows()?;
        cut(object, "")
    }),
    ("leave an object its header alone", |s| {
        let object = s.settled_rows()?;
        let header = object.header.as_ref()?.to_line();
        cut(object, &header)
    }),
    (
        "take an object's header away, with its rows and its entry",
        |s| {
            let object = s.settled_rows()?;
            let lines = object.lines();
            let act = rewritten(object, forge::body(&lines[1..]));
            let rows = format!(
                "UPDATE transactions SET object_line = object_line - 1 WHERE object_key = '{}'",
                object.key
            );
            Some(act.sql(rows).vouch(&object.key))
        },
    ),
    ("let a header name nothing", |s| {
        let object = s.object(|object| object.is_settled && confirms(object) > 0)?;
        let header = object.header.as_ref()?;
        let silent = Header {
            confirmed: Vec::new(),
            unconfirmed: Vec::new(),
            ..header.clone()
        };
        Some(reheaded(object, &silent))
    }),
    ("let a header name another hash", |s| {
        let object = s.object(|object| object.is_settled && confirms(object) > 0)?;
        let mut header = object.header.clone()?;
        header.confirmed.first_mut()?.sha256 = ObjectHash::of(b"forged");
        Some(reheaded(object, &header))
    }),
    ("end a run with a header that did not", |s| {
        let object = s.object(|object| object.is_settled && object.header.is_some())?;
        let header = object.header.as_ref()?;
        Some(reheaded(
            object,
            &Header {
                end: !header.end,
                ..header.clone()
            },
        ))
    }),
    ("give an object another number", |s| {
        let object = s.object(|object| object.is_settled && object.header.is_some())?;
        let header = object.header.as_ref()?;
        Some(reheaded(
            object,
            &Header {
                seq: header.seq + 1,
                ..header.clone()
            },
        ))
    }),
];

/// How many objects its header names.
fn confirms(object: &Object) -> usize {
    let header = object.header.as_ref();
    header.map_or(0, |header| header.confirmed.len())
}

/// Another body, for which the object has to be named.
fn rewritten(object: &Object, body: String) -> Act {
    Act::default()
        .put(&object.key, body)
        .names_object(&object.key)
}

/// The same payments behind another header, of which the tables know.
fn reheaded(object: &Object, header: &Header) -> Act {
    let mut body = header.to_line();
    body.push_str(&forge::body(&object.lines()[1..]));
    rewritten(object, body).vouch(&object.key)
}

fn delete_entry(object: &Object) -> String {
    format!(
        "DELETE FROM ingested_objects WHERE object_key = '{}'",
        object.key
    )
}

fn delete_all(mut act: Act, object: &Object) -> Act {
    for table in ["transactions", "conflicts", "rejects"] {
        act = act.sql(format!(
            "DELETE FROM {table} WHERE object_key = '{}'",
            object.key
        ));
    }
    let act = act.delete(&object.key).sql(delete_entry(object));
    act.names_object(&object.key).affects_payments_of(object)
}

/// The ledger counts so many more rows.
fn count(object: &Object, more: i64) -> String {
    format!(
        "UPDATE ingested_objects SET line_count = line_count + ({more}), row_count = row_count + ({more}) \
         WHERE object_key = '{}'",
        object.key
    )
}

/// A payment of the object is over more, and what its row then has to say.
fn dearer(s: &mut Saboteur<'_>, object: &Object) -> Option<(Act, String)> {
    let numbers: Vec<_> = object.records.keys().copied().collect();
    let number = numbers[s.pick(&numbers)?];
    let record = forge::dearer(&object.records[&number])?;
    let mut lines = object.lines();
    record
        .to_line()
        .trim_end()
        .clone_into(lines.get_mut(usize::try_from(number).ok()? - 1)?);
    Some((
        rewritten(object, forge::body(&lines)),
        forge::update(&record),
    ))
}

/// Two payments of the object change places, and so may their rows.
fn swapped(s: &mut Saboteur<'_>, object: &Object) -> Option<(Act, String)> {
    let numbers: Vec<_> = object.records.keys().copied().collect();
    let (a, b) = (numbers[s.pick(&numbers)?], numbers[s.pick(&numbers)?]);
    let mut lines = object.lines();
    let index = |line: u32| usize::try_from(line - 1).ok();
    lines.swap(index(a)?, index(b)?);
    let body = forge::body(&lines);
    let rows = format!(
        "UPDATE transactions SET object_line = CASE object_line WHEN {a} THEN {b} ELSE {a} END \
         WHERE object_key = '{}' AND object_line IN ({a}, {b})",
        object.key
    );
    (body != object.body).then(|| (rewritten(object, body), rows))
}

fn exchanged(one: &Object, other: &Object) -> Option<Act> {
    let act = rewritten(one, other.body.clone()).put(&other.key, one.body.clone());
    (one.key != other.key).then(|| act.names(Accused::Object(other.key.to_string())))
}

/// An object that holds no payments any more, of which the tables know.
fn cut(object: &Object, body: &str) -> Option<Act> {
    let rows = format!(
        "DELETE FROM transactions WHERE object_key = '{}'",
        object.key
    );
    let records = i64::try_from(object.records.len()).ok()?;
    let act = rewritten(object, body.to_owned());
    Some(
        act.sql(rows)
            .sql(count(object, -records))
            .vouch(&object.key)
            .affects_payments_of(object),
    )
}
