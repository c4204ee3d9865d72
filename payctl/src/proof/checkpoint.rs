//! A file of checkpoints, one a line: what `payctl verify` found to be right, signed, each with the SHA-256 of the line
//! before. Who keeps the file can show later that the past was not rewritten.
//!
//! The signature covers the bytes of its line without the member `signature`, which stands last.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use payment_core::Timestamp;
use payment_core::chain::ObjectHash;
use payment_core::chain::checker::OpenRun;
use serde::{Deserialize, Serialize};

use super::hours::Hour;
use super::key::{PublicKey, SigningKey};
use crate::config::JournalLocation;
use crate::outcome::Failure;
use crate::text_file;

/// A year of hours has some 3 MiB.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

const SIGNATURE: &str = ",\"signature\":\"";

/// What was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub v: u32,
    /// From 1. Whoever knows the last one sees that the file was cut.
    pub number: u64,
    pub bucket: String,
    pub prefix: String,
    /// `None`: from the first object on.
    pub from: Option<String>,
    /// The first moment that was not verified.
    pub to: String,
    /// SHA-256 of the line before.
    pub previous: Option<String>,
    /// When the first object with a header was received.
    pub chained_since: Option<String>,
    pub hours: Vec<Hour>,
    /// Runs that had no end by then.
    pub open: Vec<Open>,
    /// The public key that verifies the signature.
    pub key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Open {
    pub run: String,
    pub node: String,
    pub last: u64,
    /// When its last object was received.
    pub last_at: String,
    /// Objects that no header names yet.
    pub unnamed: u64,
}

/// The checkpoints of a file, all of which hold together.
#[derive(Debug, Default)]
pub struct Checkpoints {
    pub list: Vec<Checkpoint>,
    /// The line of each, as it was signed.
    lines: Vec<String>,
    key: Option<PublicKey>,
    /// Length of the file.
    bytes: u64,
}

/// Why a line is not what was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    #[error("it is no checkpoint")]
    Form,
    #[error("its signature is not right, or another key's")]
    Signature,
}

/// Why a file is not what was signed.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error(
        "line {0} is no checkpoint; if it was cut, remove it, and verify again from where the one before ends"
    )]
    Form(usize),
    #[error(
        "the signature of line {0} is not right: the line was changed, or another key signed it"
    )]
    Signature(usize),
    #[error(
        "line {0} does not follow the line before: a checkpoint was removed, inserted or moved"
    )]
    Link(usize),
    #[error("line {0} is of another bucket or prefix")]
    JournalLocation(usize),
    #[error("the file can't be read: {0}")]
    Read(#[from] io::Error),
}

/// An hour that is not what a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// Number of the checkpoint in its file, from 1.
    pub checkpoint: usize,
    pub hour: String,
    pub why: String,
}

impl From<&OpenRun> for Open {
    fn from(run: &OpenRun) -> Self {
        Self {
            run: run.run.to_string(),
            node: run.node.to_string(),
            last: run.last,
            last_at: run.last_at.to_string(),
            unnamed: run.open,
        }
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            run,
            node,
            last,
            last_at,
            unnamed,
        } = self;
        write!(
            f,
            "run {run} of node {node}: no end, up to number {last} at {last_at}; {unnamed} objects that no header names yet"
        )
    }
}

impl Checkpoint {
    /// Reads a line and verifies it: with `key`, or else with the key that it names itself.
    pub fn read(line: &str, key: Option<PublicKey>) -> Result<(Self, PublicKey), NotSigned> {
        let (signed, signature) = line
            .rsplit_once(SIGNATURE)
            .and_then(|(signed, rest)| Some((format!("{signed}}}"), rest.strip_suffix("\"}")?)))
            .ok_or(NotSigned::Form)?;
        let checkpoint: Self = serde_json::from_str(&signed).map_err(|_| NotSigned::Form)?;
        let is_known = checkpoint.v == 1
            && Timestamp::parse(&checkpoint.to).is_some()
            && checkpoint
                .from
                .as_deref()
                .is_none_or(|from| Timestamp::parse(from).is_some());
        let named = PublicKey::parse(&checkpoint.key).filter(|_| is_known);
        let named = named.ok_or(NotSigned::Form)?;
        let key = key.unwrap_or(named);
        if key != named || !key.verifies(signed.as_bytes(), signature) {
            return Err(NotSigned::Signature);
        }
        Ok((checkpoint, key))
    }

    pub fn is_of(&self, place: &JournalLocation) -> bool {
        (&self.bucket, &self.prefix) == (&place.bucket, &place.prefix)
    }

    /// What it says of an hour that had objects.
    pub fn hour(&self, begin: Timestamp) -> Option<&Hour> {
        let begin = begin.to_string();
        self.hours.iter().find(|hour| hour.begin == begin)
    }
}

impl Checkpoints {
    /// Reads a file, which may not be there yet, and verifies it: with `key`, or else with the key that its first line
    /// names.
    pub fn read(
        path: &Path,
        place: &JournalLocation,
        key: Option<PublicKey>,
    ) -> Result<Self, Broken> {
        let text = match text_file::read(path, FILE_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error.into()),
        };
        let mut read = Self {
            key,
            bytes: u64::try_from(text.len()).unwrap_or(u64::MAX),
            ..Self::default()
        };
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            let line = line.strip_suffix('\n').ok_or(Broken::Form(number))?;
            read.line(number, line, place)?;
        }
        Ok(read)
    }

    fn line(&mut self, number: usize, line: &str, place: &JournalLocation) -> Result<(), Broken> {
        let (checkpoint, key) = Checkpoint::read(line, self.key).map_err(|why| match why {
            NotSigned::Form => Broken::Form(number),
            NotSigned::Signature => Broken::Signature(number),
        })?;
        self.key = Some(key);
        if !checkpoint.is_of(place) {
            return Err(Broken::JournalLocation(number));
        }
        let begins = self.list.last().map(|last| &last.to);
        let is_next = checkpoint.number == self.next_number()
            && checkpoint.previous == self.last_hash()
            && begins.is_none_or(|begins| Some(begins) == checkpoint.from.as_ref());
        if !is_next {
            return Err(Broken::Link(number));
        }
        self.list.push(checkpoint);
        self.lines.push(line.to_owned());
        Ok(())
    }

    /// The line of the checkpoint that holds this hour.
    pub fn line_of(&self, hour: Timestamp) -> Option<&str> {
        let mut all = self.list.iter().zip(&self.lines);
        let (_, line) = all.find(|(checkpoint, _)| checkpoint.hour(hour).is_some())?;
        Some(line)
    }

    /// The key that all of them are signed with.
    pub fn key(&self) -> Option<PublicKey> {
        self.key.filter(|_| !self.list.is_empty())
    }

    /// Where the first one begins; `None` if that is the journal's begin.
    pub fn from(&self) -> Option<Timestamp> {
        Timestamp::parse(self.list.first()?.from.as_deref()?)
    }

    /// Since when there is a chain, if they say so.
    pub fn chained_since(&self) -> Option<Timestamp> {
        let mut since = self
            .list
            .iter()
            .filter_map(|one| one.chained_since.as_deref());
        Timestamp::parse(since.next()?)
    }

    /// Where the last one ends.
    pub fn to(&self) -> Option<Timestamp> {
        Timestamp::parse(&self.list.last()?.to)
    }

    /// Number of the checkpoint that is to follow.
    pub fn next_number(&self) -> u64 {
        self.list.last().map_or(1, |last| last.number + 1)
    }

    pub fn last_hash(&self) -> Option<String> {
        let line = self.lines.last()?;
        Some(ObjectHash::of(line.as_bytes()).to_string())
    }

    /// Appends a checkpoint, if nothing was appended since this file was read, and waits until it is on the disk.
    pub fn append(
        &self,
        path: &Path,
        mut checkpoint: Checkpoint,
        key: &SigningKey,
    ) -> Result<(), Failure> {
        let public = key.public().ok_or("the key has no public half")?;
        checkpoint.key = public.to_string();
        let signed = serde_json::to_string(&checkpoint)?;
        let signature = key.sign(signed.as_bytes());
        let start = signed.strip_suffix('}').unwrap_or(&signed);
        let line = format!("{start}{SIGNATURE}{signature}\"}}\n");
        let written = File::options()
            .append(true)
            .create(true)
            .open(path)
            .and_then(|file| self.write(file, &line));
        written.map_err(|error| {
            Failure::from(format!(
                "the checkpoint can't be appended to {}: {error}",
                path.display()
            ))
        })
    }

    fn write(&self, mut file: File, line: &str) -> io::Result<()> {
        // Until it is closed.
        file.lock()?;
        if file.metadata()?.len() != self.bytes {
            return Err(io::Error::other(
                "another payctl appended one meanwhile; verify again from where that one ends",
            ));
        }
        let written = file
            .write_all(line.as_bytes())
            .and_then(|()| file.sync_all());
        if written.is_err() {
            // Half a line would be refused by every later run.
            file.set_len(self.bytes)?;
        }
        written
    }

    /// The hours that are not what the checkpoints say.
    pub fn rewritten(&self, now: &[Hour]) -> Vec<Rewritten> {
        let mut now: BTreeMap<_, _> = now.iter().map(|hour| (hour.begin.as_str(), hour)).collect();
        let mut rewritten = Vec::new();
        for (number, checkpoint) in (1..).zip(&self.list) {
            let mut note = |hour: &str, why: String| {
                rewritten.push(Rewritten {
                    checkpoint: number,
                    hour: hour.to_owned(),
                    why,
                });
            };
            for then in &checkpoint.hours {
                match now.remove(then.begin.as_str()) {
                    Some(now) if now == then => {}
                    now => note(&then.begin, changed(then, now)),
                }
            }
            // The rest of its time had no object.
            let mut rest = now.split_off(checkpoint.to.as_str());
            std::mem::swap(&mut rest, &mut now);
            for hour in rest.into_values() {
                let objects = hour.objects;
                note(
                    &hour.begin,
                    format!("{objects} objects where there were none"),
                );
            }
        }
        rewritten
    }
}

/// How an hour differs from what it was.
fn changed(then: &Hour, now: Option<&Hour>) -> String {
    let Some(now) = now else {
        return format!("its {} objects are gone", then.objects);
    };
    let mut parts = Vec::new();
    for (what, was, is, is_same) in [
        (
            "objects",
            then.objects,
            now.objects,
            then.objects_sha256 == now.objects_sha256,
        ),
        (
            "rows",
            then.rows,
            now.rows,
            then.rows_sha256 == now.rows_sha256,
        ),
    ] {
        if was != is {
            parts.push(format!("{was} {what} then, {is} now"));
        } else if !is_same {
            parts.push(format!("other {what} than then"));
        }
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests;
