//! A row held against its line and the ledger, by the rules of an audit.

use lambda_ingest::objects::ObjectError;
use payment_core::record::read_object;
use payment_core::{LogRecord, ObjectVersion, RejectedLine};
use payment_store::audit::{LedgerEntry, Row, Stored};
use payment_store::{Found, Store};

use crate::audit::difference::Kind;
use crate::audit::origin::{fault, stored};
use crate::log::Log;
use crate::outcome::Outcome;

/// The line that a row was made of, as the log holds it now.
pub enum Origin {
    Line {
        version: ObjectVersion,
        bytes: usize,
        record: Result<Box<LogRecord>, RejectedLine>,
    },
    NoSuchLine,
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
        found: &Found,
        origin: &Origin,
    ) -> Result<Self, payment_store::Error> {
        let all = store.ledger_entries(&found.object_key).await?;
        let own = match origin {
            Origin::Line { version, .. } => store.ledger_entries_of(version).await?,
            _ => Vec::new(),
        };
        let mut is_rejected = false;
        if let Some(entry) = own.first() {
            let line = (found.object_line, found.object_line);
            is_rejected = !store.rejects_between(entry, line).await?.is_empty();
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

pub async fn read(log: &Log, found: &Found) -> Result<Origin, ObjectError> {
    let key = &found.object_key;
    if !log.place.holds(&log.reference(key)) {
        return Ok(Origin::Outside);
    }
    let object = match log.get(key).await {
        Ok(object) => object,
        Err(ObjectError::Gone) => return Ok(Origin::Gone),
        Err(error) => return Err(error),
    };
    let line = read_object(key, &object.body, object.version.stored_at)
        .find(|(line, _)| *line == found.object_line);
    Ok(match line {
        Some((_, record)) => Origin::Line {
            version: object.version,
            bytes: object.body.len(),
            record: record.map(Box::new),
        },
        None => Origin::NoSuchLine,
    })
}

/// By columns as well as by hash, which a change by hand leaves as it is.
pub fn compare(origin: &Origin, ledger: &Ledger, row: Option<&Row>) -> (String, Outcome) {
    let said = match (origin, row) {
        (Origin::Outside, _) => {
            let said = "the row's object lies outside LOG_PREFIX and was not looked at";
            return (said.to_owned(), Outcome::Unfinished);
        }
        (Origin::Gone, _) => "the object is gone".to_owned(),
        (Origin::NoSuchLine, _) => "the object has no such line".to_owned(),
        (
            Origin::Line {
                record: Err(error), ..
            },
            _,
        ) => format!("the line is no payment: {}", error.error),
        (Origin::Line { .. }, None) => "the row is gone since".to_owned(),
        (
            Origin::Line {
                record: Ok(record),
                version,
                ..
            },
            Some(row),
        ) => return against_line(record, version, ledger, row),
    };
    (said, Outcome::Different)
}

fn against_line(
    record: &LogRecord,
    version: &ObjectVersion,
    ledger: &Ledger,
    row: &Row,
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
    let stored = Stored {
        ingested_at: (!ledger.is_rejected).then_some(entry.ingested_at),
        ..stored(&ledger.all, version)
    };
    let by_columns = |stored| row.differing_from_line(record, stored);
    match fault(Kind::RowDiffers, stored, by_columns) {
        None => {
            let said = "the line has the row's hash and content";
            (said.to_owned(), Outcome::Clean)
        }
        Some((Kind::Unproven, why)) => (format!("unproven: {why}"), Outcome::Unfinished),
        Some((_, columns)) => different(format!("the row differs from its line in {columns}")),
    }
}
