//! A row held against its line and the ledger, by the rules of an audit.

use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{LogRecord, ObjectKey, ObjectVersion, RejectedLine};
use payment_store::Store;
use payment_store::audit::{LedgerEntry, Row, Stored};

use crate::audit::difference::DifferenceKind;
use crate::audit::origin::{of_line, stored};
use crate::journal::Journal;
use crate::outcome::{Failure, Outcome};

/// The line that a row was made of, as the log holds it now.
pub enum Origin {
    Line {
        version: ObjectVersion,
        bytes: usize,
        record: Result<Box<LogRecord>, RejectedLine>,
    },
    NoSuchLine {
        version: ObjectVersion,
    },
    Gone,
    /// It is no object of the journal, and was left alone.
    Outside,
}

/// What the ledger says of the row's object.
pub struct Ledger {
    /// Entries of all its versions, the earliest first.
    all: Vec<LedgerEntry>,
    /// Entries of the version that is there now.
    own: Vec<LedgerEntry>,
    /// The line was rejected first: then it may have become a row at any time.
    is_rejected: bool,
}

impl Ledger {
    pub async fn ask(
        store: &Store,
        key: &ObjectKey,
        line: u32,
        origin: &Origin,
    ) -> Result<Self, payment_store::Error> {
        let all = store.ledger_entries(key).await?;
        let own = match origin {
            Origin::Line { version, .. } | Origin::NoSuchLine { version } => {
                store.ledger_entries_of(version).await?
            }
            _ => Vec::new(),
        };
        let mut is_rejected = false;
        if let Some(entry) = own.first() {
            is_rejected = !store.rejects_between(entry, (line, line)).await?.is_empty();
        }
        Ok(Self {
            all,
            own,
            is_rejected,
        })
    }

    /// Returns the entry of the object as it is now, or of its last version if it is gone.
    pub fn last(&self) -> Option<&LedgerEntry> {
        self.own.first().or(self.all.last())
    }
}

pub async fn read(log: &Journal, key: &ObjectKey, line: u32) -> Result<Origin, ObjectError> {
    if !log.place.holds(&log.reference(key)) {
        return Ok(Origin::Outside);
    }
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Origin::Gone),
        Err(error) => return Err(error),
    };
    let line = read_object(key, &object.body, object.version.stored_at)
        .find(|(number, _)| *number == line);
    Ok(match line {
        Some((_, record)) => Origin::Line {
            version: object.version,
            bytes: object.body.len(),
            record: record.map(Box::new),
        },
        None => Origin::NoSuchLine {
            version: object.version,
        },
    })
}

/// A conflict held against its line, in the version that it names, and against the row that it is to differ from.
pub async fn of_conflict(
    log: &Journal,
    store: &Store,
    conflict: &Row<'_>,
    row: &Row<'_>,
) -> Result<(String, Outcome), Failure> {
    let different = |said: &str| Ok((said.to_owned(), Outcome::Different));
    let Some(key) = ObjectKey::parse(conflict.object_key) else {
        return different("no object has this key");
    };
    let line = conflict.object_line;
    let origin = read(log, &key, line).await?;
    let ledger = Ledger::ask(store, &key, line, &origin).await?;
    let own = match ledger.own.first() {
        Some(entry) => Some(store.conflicts_between(entry, (line, line)).await?),
        None => None,
    };
    match own.as_ref().and_then(|own| own.iter().next()) {
        None if matches!(origin, Origin::Line { .. } | Origin::NoSuchLine { .. }) => {
            if ledger.all.len() == ledger.own.len() {
                return different("the ledger does not know the version that it names");
            }
            let said = "unproven: it may be of a version that was replaced since";
            Ok((said.to_owned(), Outcome::Unfinished))
        }
        None => Ok(compare(&origin, &ledger, conflict)),
        Some(own) if row.content_hash == own.content_hash => {
            different("it has the row's own content")
        }
        Some(own) => Ok(compare(&origin, &ledger, &own)),
    }
}

/// Compares columns as well as the hash, which a change by hand leaves as it is.
pub fn compare(origin: &Origin, ledger: &Ledger, row: &Row<'_>) -> (String, Outcome) {
    let said = match origin {
        Origin::Outside => {
            let said = "the row's object lies outside LOG_PREFIX and was not looked at";
            return (said.to_owned(), Outcome::Unfinished);
        }
        Origin::Gone => "the object is gone".to_owned(),
        Origin::NoSuchLine { .. } => "the object has no such line".to_owned(),
        Origin::Line {
            record: Err(error), ..
        } => format!("the line is no payment: {}", error.error),
        Origin::Line {
            record: Ok(record),
            version,
            ..
        } => return against_line(record, version, ledger, row),
    };
    (said, Outcome::Different)
}

fn against_line(
    record: &LogRecord,
    version: &ObjectVersion,
    ledger: &Ledger,
    row: &Row<'_>,
) -> (String, Outcome) {
    let different = |said: String| (said, Outcome::Different);
    let entry = match &*ledger.own {
        [] => return different("the ledger does not know the row's object".to_owned()),
        [entry] => entry,
        more => return different(format!("{} entries stand for the row's object", more.len())),
    };
    let received_by = record.is_own().then_some(record.received_at);
    if !entry.is_possible(received_by) {
        let at = entry.ingested_at;
        return different(format!(
            "the ledger's entry is impossible: ingested_at {at}"
        ));
    }
    if version.key.is_own() && ledger.all.len() > ledger.own.len() {
        let said = "the row's object was replaced, and is as it was: payctl reconcile says by what";
        return different(said.to_owned());
    }
    let stored = Stored {
        ingested_at: (!ledger.is_rejected).then_some(entry.ingested_at),
        ..stored(&ledger.all, version)
    };
    match of_line(row, record, stored) {
        None => {
            let said = "the line has the row's hash and content";
            (said.to_owned(), Outcome::Clean)
        }
        Some((DifferenceKind::Unproven, why)) => (format!("unproven: {why}"), Outcome::Unfinished),
        Some((_, columns)) => different(format!("the row differs from its line in {columns}")),
    }
}
