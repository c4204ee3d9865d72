//! What a receipt says, and what the journal says to it.

use std::fmt;

use lambda_ingest::objects::Object;
use payment_core::chain::{Header, ObjectHash};
use payment_core::object::{read_header, read_one};
use payment_core::{ContentHash, LogRecord, ObjectKey, Timestamp};
use payment_store::Found;
use payment_store::audit::KeySpan;
use serde::{Deserialize, Serialize};
use time::Duration;

use crate::journal::Journal;
use crate::outcome::Failure;
use crate::range::{Segment, moved};

/// A header that names an object is sealed within a minute of it, and its key is at most as much older.
const NAMED_WITHIN: Duration = Duration::minutes(2);

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
}

/// A position in the chain, as text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    run: String,
    seq: u64,
}

impl Receipt {
    /// The receipt of a recorded payment, or why the journal gives none.
    pub async fn of(log: &Journal, found: &Found) -> Result<Result<Self, String>, Failure> {
        let key = &found.object_key;
        let Some(object) = log.find(key).await? else {
            return Ok(Err(format!("{key} is gone")));
        };
        let read = read(&object, found.object_line);
        let Some((record, _)) = read.filter(|(_, hash)| *hash == found.content_hash) else {
            let line = found.object_line;
            return Ok(Err(format!("line {line} of {key} is not the row's")));
        };
        let header = read_header(key, &object.body);
        let sha256 = ObjectHash::of(&object.body);
        let named_by = match &header {
            Some(header) => named_by(log, key, header, sha256).await?,
            None => None,
        };
        Ok(Ok(Self {
            bucket: log.place.bucket.clone(),
            object: key.to_string(),
            sha256: sha256.to_string(),
            line: found.object_line,
            record,
            hash: found.content_hash.to_string(),
            position: header.as_ref().map(Place::of),
            named_by: named_by.map(|key| key.to_string()),
        }))
    }

    /// What of the receipt the journal does not bear out.
    pub async fn faults(&self, log: &Journal) -> Result<Vec<String>, Failure> {
        let mut faults = Vec::new();
        if self.bucket != log.place.bucket {
            faults.push(format!("it is of the bucket {}", self.bucket));
            return Ok(faults);
        }
        let named = std::iter::once(&self.object).chain(&self.named_by);
        let prefix = &log.place.prefix;
        let outside = named.filter(|key| !key.starts_with(prefix.as_str()));
        faults.extend(outside.map(|key| format!("{key} is none of the journal {prefix}")));
        if !faults.is_empty() {
            return Ok(faults);
        }
        let record = LogRecord::parse(self.record.as_bytes(), Timestamp::EPOCH);
        if !record.is_ok_and(|record| record.content_hash.to_string() == self.hash) {
            faults.push("the record is not what its hash says".to_owned());
        }
        let Some((key, object)) = get(log, &self.object).await? else {
            faults.push(format!("{} is not there", self.object));
            return Ok(faults);
        };
        let sha256 = ObjectHash::of(&object.body);
        if sha256.to_string() != self.sha256 {
            faults.push(format!("{key} has the SHA-256 {sha256} now"));
        }
        if read(&object, self.line).is_none_or(|(record, _)| record != self.record) {
            faults.push(format!("line {} of {key} is another record", self.line));
        }
        let header = read_header(&key, &object.body);
        if header.as_ref().map(Place::of) != self.position {
            faults.push(format!("{key} has another place in the chain"));
        }
        if let (Some(by), Some(header)) = (&self.named_by, &header) {
            let by_header = get(log, by).await?;
            let naming = by_header.and_then(|(by, object)| read_header(&by, &object.body));
            if !naming.is_some_and(|naming| naming.confirms(&key, header.position(), sha256)) {
                faults.push(format!("{by} does not name the object with its SHA-256"));
            }
        } else if self.named_by.is_some() {
            faults.push(format!("{key} has no header any more"));
        }
        Ok(faults)
    }
}

impl Place {
    fn of(header: &Header) -> Self {
        Self {
            run: header.run.to_string(),
            seq: header.seq,
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "proven: line {} of {}, SHA-256 {}",
            self.line, self.object, self.sha256
        )?;
        if let Some(Place { run, seq }) = &self.position {
            write!(f, ", number {seq} of run {run}")?;
        }
        match &self.named_by {
            Some(by) => write!(f, "; {by} vouches for it"),
            None => write!(f, "; no header vouches for it"),
        }
    }
}

async fn get(log: &Journal, key: &str) -> Result<Option<(ObjectKey, Object)>, Failure> {
    let Some(key) = ObjectKey::parse(key) else {
        return Ok(None);
    };
    Ok(log.find(&key).await?.map(|object| (key, object)))
}

/// A record of the object: its text, and its hash.
fn read(object: &Object, number: u32) -> Option<(String, ContentHash)> {
    let Object { version, body } = object;
    let (text, record) = read_one(&version.key, body, version.stored_at, number)?;
    Some((String::from_utf8(text).ok()?, record.content_hash))
}

/// The object of the same node, of about the same time, whose header names this one.
async fn named_by(
    log: &Journal,
    key: &ObjectKey,
    header: &Header,
    sha256: ObjectHash,
) -> Result<Option<ObjectKey>, Failure> {
    let Some((uuid, node)) = key.own_batch() else {
        return Ok(None);
    };
    let Some(at) = ObjectKey::time_of(uuid) else {
        return Ok(None);
    };
    let prefix = &log.place.prefix;
    let listing = log.list(Segment {
        list: Some(prefix.clone()),
        span: KeySpan {
            after: ObjectKey::batches_from(prefix, moved(at, -NAMED_WITHIN)),
            before: Some(ObjectKey::batches_from(prefix, moved(at, NAMED_WITHIN))),
        },
    });
    let Some(mut listing) = listing else {
        return Ok(None);
    };
    while let Some(listed) = listing.next().await? {
        let other = listed.version.key;
        if other == *key || other.own_batch().is_none_or(|(_, other)| other != node) {
            continue;
        }
        if let Some((other, object)) = get(log, other.as_str()).await?
            && let Some(naming) = read_header(&other, &object.body)
            && naming.confirms(key, header.position(), sha256)
        {
            return Ok(Some(other));
        }
    }
    Ok(None)
}
