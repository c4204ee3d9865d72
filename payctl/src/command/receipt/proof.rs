//! What a receipt says, and what the journal says to it.

use std::path::Path;

use lambda_ingest::objects::Object;
use payment_core::chain::checker::What;
use payment_core::chain::{Header, ObjectHash};
use payment_core::object::{read_header, read_one};
use payment_core::{Currency, LogRecord, ObjectKey, Timestamp};
use payment_store::audit::{Row, Stored};
use serde::{Deserialize, Serialize};

use super::checkpoint;
use super::vouchers::{Vouched, vouched};
use crate::journal::Journal;
use crate::outcome::Failure;
use crate::output;
use crate::proof::key::PublicKey;

const UNVOUCHED: &str = "no header vouches for it";

const TOO_MANY: &str =
    "its node has more objects within seconds than are asked; payctl verify asks them all";

/// What a client can keep of a payment.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    pub bucket: String,
    pub object: String,
    /// SHA-256 of the object's whole body.
    pub sha256: String,
    pub line: u32,
    /// The line itself; in an array, the element.
    pub record: String,
    /// The record's hash, which the answer to the payment had as well.
    pub hash: String,
    /// Where the object stands in the chain.
    pub position: Option<Place>,
    /// The object whose header names this one.
    pub named_by: Option<String>,
    /// The line of a file of checkpoints that holds the object's hour.
    #[serde(default)]
    pub checkpoint: Option<String>,
}

/// A position in the chain, as text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    run: String,
    seq: u64,
}

/// What the journal says to a receipt.
pub enum Verdict {
    /// With what is proven.
    Proven(String),
    /// The object is as the receipt says, and nothing but itself vouches for it.
    Unvouched(String),
    /// What the journal does not bear out.
    Wrong(Vec<String>),
}

impl Receipt {
    /// The receipt of a recorded payment, or why the journal gives none.
    pub async fn of(
        log: &Journal,
        row: &Row<'_>,
        checkpoints: Option<&Path>,
    ) -> Result<Result<Self, String>, Failure> {
        let key = ObjectKey::parse(row.object_key);
        let Some(key) = key.filter(|key| log.place.holds(&log.reference(key))) else {
            return Ok(Err("its row names no object of the journal".to_owned()));
        };
        let Some(object) = log.find(&key).await? else {
            return Ok(Err(format!("{key} is gone")));
        };
        let line = row.object_line;
        let stored_at = object.version.stored_at;
        let read = read(&object, line);
        let read = read.filter(|(_, record)| is_of_line(row, record, stored_at));
        let Some((text, record)) = read else {
            return Ok(Err(format!("line {line} of {key} is not the row's")));
        };
        let header = read_header(&key, &object.body);
        let sha256 = ObjectHash::of(&object.body);
        let named_by = match vouched(log, &object, None).await? {
            Some(Vouched { fault: None, by }) => by.first().map(ToString::to_string),
            Some(Vouched {
                fault: Some((other, what)),
                ..
            }) => {
                let why = fault(&other, &what);
                if other == key {
                    return Ok(Err(why));
                }
                output::warn(&format!("{UNVOUCHED}, since {why}"));
                None
            }
            None => {
                output::warn(TOO_MANY);
                None
            }
        };
        let checkpoint = checkpoints.map(|file| checkpoint::line(file, log, &object.version));
        Ok(Ok(Self {
            checkpoint: checkpoint.transpose()?.flatten(),
            bucket: log.place.bucket.clone(),
            object: key.to_string(),
            sha256: sha256.to_string(),
            line,
            record: text,
            hash: record.content_hash.to_string(),
            position: header.as_ref().map(Place::of),
            named_by,
        }))
    }

    /// Holds the receipt against the journal. Its own word for who vouches for the object is not taken.
    pub async fn held(&self, log: &Journal, signer: Option<PublicKey>) -> Result<Verdict, Failure> {
        let wrong = |why: String| Ok(Verdict::Wrong(vec![why]));
        if self.bucket != log.place.bucket {
            return wrong(format!("it is of the bucket {}", self.bucket));
        }
        let key = ObjectKey::parse(&self.object);
        let Some(key) = key.filter(|key| log.place.holds(&log.reference(key))) else {
            let prefix = &log.place.prefix;
            return wrong(format!("{} is none of the journal {prefix}", self.object));
        };
        let Some(record) = self.record() else {
            return wrong("the record is not what its hash says".to_owned());
        };
        let Some(object) = log.find(&key).await? else {
            return wrong(format!("{key} is not there"));
        };
        let header = read_header(&key, &object.body);
        let sha256 = ObjectHash::of(&object.body);
        let mut faults = self.faults(&object, header.as_ref(), sha256);
        let mut witnesses = Vec::new();
        let mut lacks = UNVOUCHED.to_owned();
        let named_by = self.named_by.as_deref();
        if let Some(Vouched { by, fault: other }) = vouched(log, &object, named_by).await? {
            let other = other.map(|(other, what)| (other == key, fault(&other, &what)));
            let is_named = |named: &str| by.iter().any(|by| by.as_str() == named);
            match (other, named_by.filter(|named| !is_named(named))) {
                (Some((true, why)), _) => faults.push(why),
                (Some((false, why)), _) => lacks = format!("{UNVOUCHED}, since {why}"),
                (None, Some(named)) => faults.push(format!(
                    "{named} does not name the object with its SHA-256, or another header contradicts it"
                )),
                (None, None) => {
                    witnesses.extend(by.first().map(|by| format!("{by} vouches for it")));
                }
            }
        } else {
            TOO_MANY.clone_into(&mut lacks);
        }
        if let Some(line) = &self.checkpoint {
            match checkpoint::held(log, line, signer, &object.version).await? {
                Ok(witness) => witnesses.push(witness),
                Err(why) => faults.push(why),
            }
        } else if signer.is_some() {
            "it has no checkpoint, which the key is for".clone_into(&mut lacks);
            witnesses.clear();
        }
        let what = self.what(&record);
        Ok(if !faults.is_empty() {
            Verdict::Wrong(faults)
        } else if witnesses.is_empty() {
            Verdict::Unvouched(format!("{what}; {lacks}"))
        } else {
            Verdict::Proven(format!("{what}; {}", witnesses.join("; ")))
        })
    }

    /// The record, if it is what its hash says.
    fn record(&self) -> Option<LogRecord> {
        let record = LogRecord::parse(self.record.as_bytes(), Timestamp::EPOCH).ok()?;
        (record.content_hash.to_string() == self.hash).then_some(record)
    }

    /// What the object itself does not bear out.
    fn faults(&self, object: &Object, header: Option<&Header>, sha256: ObjectHash) -> Vec<String> {
        let key = &self.object;
        let mut faults = Vec::new();
        if sha256.to_string() != self.sha256 {
            faults.push(format!("{key} has the SHA-256 {sha256} now"));
        }
        if read(object, self.line).is_none_or(|(text, _)| text != self.record) {
            faults.push(format!("line {} of {key} is another record", self.line));
        }
        if header.map(Place::of) != self.position {
            faults.push(format!("{key} has another place in the chain"));
        }
        faults
    }

    fn what(&self, record: &LogRecord) -> String {
        let payment = &record.payment;
        let currency = payment.currency().map_or("", Currency::code);
        let amount = payment.amount();
        let amount = amount.map(|amount| format!(", {amount} {currency}"));
        let place = self.position.as_ref();
        let place = place.map(|Place { run, seq }| format!(", number {seq} of run {run}"));
        format!(
            "payment {}{}: line {} of {}, SHA-256 {}{}",
            payment.key(),
            amount.unwrap_or_default(),
            self.line,
            self.object,
            self.sha256,
            place.unwrap_or_default(),
        )
    }
}

fn fault(key: &ObjectKey, what: &What) -> String {
    format!("{key}: {what}; payctl verify says more")
}

/// Whether the row is the line's in every column. When it was recorded, and whether the object was stored again since, is
/// for an audit to say.
fn is_of_line(row: &Row<'_>, record: &LogRecord, stored_at: Timestamp) -> bool {
    let stored = Stored {
        at: stored_at,
        is_rewritten: true,
        is_replaced: true,
        is_restored: false,
        ingested_at: None,
    };
    row.differing_from_line(record, stored).is_empty()
}

impl Place {
    fn of(header: &Header) -> Self {
        Self {
            run: header.run.to_string(),
            seq: header.seq,
        }
    }
}

/// A record of the object, and its text.
fn read(object: &Object, number: u32) -> Option<(String, LogRecord)> {
    let Object { version, body } = object;
    let (text, record) = read_one(&version.key, body, version.stored_at, number)?;
    Some((String::from_utf8(text).ok()?, record))
}
