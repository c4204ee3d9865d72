//! Acts on the tables alone.

use super::{Draw, Saboteur};
use crate::saboteur::{
    act::{Accused, Act},
    forge,
    journal::{Object, Row},
};

pub const ALL: &[(&str, Draw)] = &[
    ("delete a row", |s| {
        let row = row(s)?;
        Some(
            Act::default()
                .sql(format!("DELETE FROM transactions WHERE id = {}", row.id))
                .names(row.accused()),
        )
    }),
    ("change a row's amount", |s| {
        changed(s, "amount = amount + 1")
    }),
    ("change a row's amount and hash", |s| {
        changed(
            s,
            "amount = amount + 1, content_hash = UNHEX(SHA2('forged', 256))",
        )
    }),
    ("change a row's status", |s| {
        changed(s, "status = IF(status = 'failed', 'processed', 'failed')")
    }),
    ("change a row's currency", |s| {
        changed(s, "currency = IF(currency = 'USD', 'EUR', 'USD')")
    }),
    ("change a row's payer", |s| {
        changed(s, "payer_name = 'Mallory'")
    }),
    ("change a row's transaction", |s| {
        changed(s, "transaction = 'forged'")
    }),
    ("change a row's further members", |s| {
        changed(s, "extra = '{\"forged\":1}'")
    }),
    ("change a row's hash", |s| {
        changed(s, "content_hash = UNHEX(SHA2('forged', 256))")
    }),
    ("change when a row's payment was received", |s| {
        changed(s, "received_at = received_at - INTERVAL 1 MICROSECOND")
    }),
    ("change when a row was recorded", |s| {
        changed(s, "recorded_at = recorded_at + INTERVAL 1 DAY")
    }),
    ("change a row's request", |s| {
        changed(s, "request_id = 'forged'")
    }),
    ("change a row's client", |s| {
        let row = row(s)?;
        let other = Accused::Payment {
            client: "mallory".to_owned(),
            id: row.payment_id.clone(),
        };
        Some(set(row, "client = 'mallory'").names(other))
    }),
    ("change a row's id", |s| {
        let row = row(s)?;
        let id = format!("forged-{}", s.unique());
        let other = Accused::Payment {
            client: row.client.clone(),
            id: id.clone(),
        };
        Some(set(row, &format!("payment_id = '{id}'")).names(other))
    }),
    ("move a row to another line", |s| {
        changed(s, "object_line = object_line + 100")
    }),
    ("move a row to another object", |s| {
        let (row, object) = (row(s)?, s.batch()?);
        (row.object_key != object.key.as_str())
            .then(|| set(row, &format!("object_key = '{}'", object.key)))
    }),
    ("exchange the payments of two rows", |s| {
        let (one, other) = (row(s)?, row(s)?);
        // A client may have a third row of the id that one of its rows is to get.
        let is_taken = |client: &Row, id: &Row| {
            let mut others = s.journal.rows.iter();
            others.any(|row| {
                ![one.id, other.id].contains(&row.id)
                    && (&row.client, &row.payment_id) == (&client.client, &id.payment_id)
            })
        };
        if one.payment_id == other.payment_id || is_taken(one, other) || is_taken(other, one) {
            return None;
        }
        let parked = format!(
            "UPDATE transactions SET payment_id = 'parked' WHERE id = {}",
            one.id
        );
        let renamed = |row: &Row, id: &str| {
            format!(
                "UPDATE transactions SET payment_id = '{id}' WHERE id = {}",
                row.id
            )
        };
        let of = |client: &Row, id: &Row| Accused::Payment {
            client: client.client.clone(),
            id: id.payment_id.clone(),
        };
        let act = Act::default()
            .sql(parked)
            .sql(renamed(other, &one.payment_id))
            .sql(renamed(one, &other.payment_id));
        Some(
            act.names(one.accused())
                .names(other.accused())
                .affects(of(one, other))
                .affects(of(other, one)),
        )
    }),
    ("insert a row for a line that is not there", |s| {
        let object = s.batch()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let line = u32::try_from(object.lines().len() + 1).ok()?;
        let act = Act::default().sql(forge::insert(&record, object.key.as_str(), line));
        Some(act.names(record.payment.key().into()))
    }),
    ("insert a row for another payment's line", |s| {
        let object = s.batch()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let act = Act::default().sql(forge::insert(
            &record,
            object.key.as_str(),
            *object.records.keys().next()?,
        ));
        Some(act.names(record.payment.key().into()))
    }),
    ("insert a row for an object that is not there", |s| {
        let object = s.batch()?;
        let record = forge::record(s.unique(), object.at()?)?;
        let key = format!("transactions/forged-{}.json", s.unique());
        let act = Act::default().sql(forge::insert(&record, &key, 1));
        Some(act.names(record.payment.key().into()))
    }),
    ("delete an entry of the ledger", |s| {
        let object = s.object(|object| object.key.is_own_batch())?;
        let act = Act::default().sql(format!(
            "DELETE FROM ingested_objects WHERE object_key = '{}'",
            object.key
        ));
        Some(act.names_object(&object.key).affects_payments_of(object))
    }),
    ("insert an entry for an object that is not there", |s| {
        let object = s.batch()?;
        let key = format!("transactions/forged-{}.json", s.unique());
        let insert = format!(
            "INSERT INTO ingested_objects (object_key, object_etag, line_count, row_count, duplicate_count, conflict_count, \
             reject_count) SELECT '{key}', object_etag, line_count, row_count, duplicate_count, conflict_count, reject_count \
             FROM kept.ingested_objects WHERE object_key = '{}'",
            object.key
        );
        Some(Act::default().sql(insert).names_object(key))
    }),
    ("change an entry's SHA-256", |s| {
        entry(s, "sha256 = UNHEX(SHA2('forged', 256))")
    }),
    ("take an entry's SHA-256, run and number away", |s| {
        entry(s, "sha256 = NULL, run = NULL, seq = NULL")
    }),
    ("change an entry's run", |s| {
        entry(s, "run = '019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4'")
    }),
    ("change an entry's number", |s| entry(s, "seq = seq + 1")),
    ("change an entry's ETag", |s| {
        let object = s.batch()?;
        Some(set_entry(object, "object_etag = REPEAT('f0', 16)").affects_payments_of(object))
    }),
    ("change an entry's counts", |s| {
        entry(s, "line_count = line_count + 1, row_count = row_count + 1")
    }),
    ("count a row of an entry as a repeat", |s| {
        let object = s.settled_rows()?;
        Some(set_entry(
            object,
            "row_count = row_count - 1, duplicate_count = duplicate_count + 1",
        ))
    }),
    ("date an entry forward", |s| {
        entry(s, "ingested_at = ingested_at + INTERVAL 1 DAY")
    }),
    // Entry and rows contradict each other: the rows are named, since they would be older than their object was there.
    ("date an entry back", |s| {
        let object = s.settled_rows()?;
        let act = set_entry(object, "ingested_at = ingested_at - INTERVAL 1 DAY");
        let (named, affected) = (object.payments(), act.named);
        Some(Act {
            named,
            affected,
            ..act
        })
    }),
    ("delete a conflict", |s| {
        let row = conflict(s)?;
        let act = Act::default().sql(format!("DELETE FROM conflicts WHERE id = {}", row.id));
        Some(
            act.names(row.accused())
                .affects(Accused::Object(row.object_key.clone())),
        )
    }),
    ("change a conflict", |s| {
        let row = conflict(s)?;
        let update = format!(
            "UPDATE conflicts SET status = IF(status = 'failed', 'processed', 'failed') WHERE id = {}",
            row.id
        );
        Some(Act::default().sql(update).names(row.accused()))
    }),
    ("insert a conflict", |s| {
        let row = row(s)?;
        let insert = format!(
            "INSERT INTO conflicts (payment_id, client, status, received_at, extra, content_hash, object_key, object_etag, object_line) \
             SELECT t.payment_id, t.client, t.status, t.received_at, t.extra, t.content_hash, t.object_key, o.object_etag, t.object_line \
             FROM transactions t JOIN ingested_objects o ON o.object_key = t.object_key WHERE t.id = {}",
            row.id
        );
        Some(Act::default().sql(insert).names(row.accused()))
    }),
    ("delete a reject", |s| {
        reject(s, |id| format!("DELETE FROM rejects WHERE id = {id}"))
    }),
    ("change a reject", |s| {
        reject(s, |id| {
            format!("UPDATE rejects SET reason = 'forged' WHERE id = {id}")
        })
    }),
];

fn row<'a>(s: &mut Saboteur<'a>) -> Option<&'a Row> {
    let journal = s.journal;
    let at = s.pick(&journal.rows)?;
    journal.rows.get(at)
}

fn conflict<'a>(s: &mut Saboteur<'a>) -> Option<&'a Row> {
    let journal = s.journal;
    let at = s.pick(&journal.conflicts)?;
    journal.conflicts.get(at)
}

/// Changes a row: of the object that it was made of, the counts may be no longer right.
fn set(row: &Row, assignments: &str) -> Act {
    let update = format!(
        "UPDATE transactions SET {assignments} WHERE id = {}",
        row.id
    );
    let act = Act::default().sql(update).names(row.accused());
    act.affects(Accused::Object(row.object_key.clone()))
}

/// A row with an amount, so that each assignment changes it.
fn changed(s: &mut Saboteur<'_>, assignments: &str) -> Option<Act> {
    let row = row(s).filter(|row| row.has_amount)?;
    Some(set(row, assignments))
}

fn set_entry(object: &Object, assignments: &str) -> Act {
    let update = format!(
        "UPDATE ingested_objects SET {assignments} WHERE object_key = '{}'",
        object.key
    );
    Act::default().sql(update).names_object(&object.key)
}

fn entry(s: &mut Saboteur<'_>, assignments: &str) -> Option<Act> {
    Some(set_entry(s.batch()?, assignments))
}

fn reject(s: &mut Saboteur<'_>, statement: impl Fn(u64) -> String) -> Option<Act> {
    let journal = s.journal;
    let at = s.pick(&journal.rejects)?;
    let (id, key) = journal.rejects.get(at)?;
    Some(Act::default().sql(statement(*id)).names_object(key))
}
