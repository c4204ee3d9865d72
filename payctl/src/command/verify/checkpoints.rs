//! What a file of checkpoints asks of a run of `payctl verify`, and what the run adds to it.

use std::io;
use std::path::{Path, PathBuf};

use payment_core::{ObjectKey, Timestamp};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::reconcile;
use crate::audit::difference::{Difference, DifferenceKind, Findings};
use crate::audit::report::Report;
use crate::config::JournalLocation;
use crate::outcome::{Failure, Outcome};
use crate::output;
use crate::proof::chain::Proven;
use crate::proof::checkpoint::{Broken, Checkpoint, Checkpoints};
use crate::proof::key::{AnyKey, SigningKey};
use crate::range::{begin_of_hour, moved};

/// Objects of an hour may come so long after it: a PUT takes seconds, and clocks differ.
const CLOSED_AFTER: Duration = Duration::minutes(2);

pub struct Plan {
    file: PathBuf,
    place: JournalLocation,
    before: Checkpoints,
    from: Option<Timestamp>,
    to: Timestamp,
    /// The hours of the file are verified again.
    is_again: bool,
    key: Option<SigningKey>,
}

impl Plan {
    /// Reads the file, and sets the range. What ends the command at once is its outcome.
    pub fn new(
        file: PathBuf,
        is_again: bool,
        key: Option<&Path>,
        place: JournalLocation,
        log: &mut reconcile::Args,
    ) -> Result<Result<Self, Outcome>, Failure> {
        let key = key.map(AnyKey::read).transpose()?;
        let public = key.as_ref().and_then(AnyKey::public);
        let before = match Checkpoints::read(&file, &place, public) {
            Ok(before) => before,
            Err(Broken::Read(error)) => {
                let what = format!("{}: the file can't be read: {error}", file.display());
                return Err(Failure::config(what));
            }
            Err(error) => {
                output::warn(&format!("{}: {error}", file.display()));
                return Ok(Err(Outcome::Different));
            }
        };
        let key = key.and_then(|key| match key {
            AnyKey::Signing(key) => Some(key),
            AnyKey::Public(_) => None,
        });
        let (from, to) = if is_again {
            let to = before.to().ok_or_else(|| no_checkpoint(&file))?;
            (before.from(), to)
        } else {
            next(&file, &before, log)?
        };
        (log.range.from, log.range.to) = (from, Some(to));
        if from.is_some_and(|from| to <= from) {
            output::warn(&format!(
                "no hour is over since {to}, where the last checkpoint ends"
            ));
            return Ok(Err(Outcome::Unfinished));
        }
        Ok(Ok(Self {
            file,
            place,
            before,
            from,
            to,
            is_again,
            key,
        }))
    }

    pub fn chained_since(&self) -> Option<Timestamp> {
        self.before.chained_since()
    }

    /// Names the hours that are not what the checkpoints say, if that is what was asked.
    pub fn compare(&self, report: &mut Report) -> io::Result<()> {
        let Some(proven) = report.proven().filter(|_| self.is_again) else {
            return Ok(());
        };
        let rewritten = self.before.rewritten(&proven.hours).into_iter();
        let differences = rewritten.filter_map(|rewritten| {
            let hour = Timestamp::parse(&rewritten.hour)?;
            let folder = ObjectKey::parse(&ObjectKey::hour_prefix(&self.place.prefix, hour))?;
            let detail = format!(
                "checkpoint {} no longer holds: {}; compare the hour with a copy of the bucket",
                rewritten.checkpoint, rewritten.why
            );
            Some(Difference::of_object(
                DifferenceKind::HourRewritten,
                &folder,
                Some(detail),
            ))
        });
        report.add(Findings {
            differences: differences.collect(),
            ..Findings::default()
        })
    }

    /// Adds the next checkpoint, if there is a key and all was clean.
    pub fn append(
        &self,
        outcome: Outcome,
        proven: Option<&Proven>,
        is_json: bool,
    ) -> Result<Outcome, Failure> {
        if let Some(key) = self.before.key()
            && !is_json
        {
            let count = self.before.list.len();
            let to = self
                .before
                .to()
                .map_or_else(String::new, |to| to.to_string());
            output::say(&format!(
                "{count} checkpoints before, the last up to {to}, signed by {key}\n"
            ))?;
        }
        let (Some(key), Some(proven), false) = (&self.key, proven, self.is_again) else {
            return Ok(outcome);
        };
        if outcome != Outcome::Clean {
            output::warn("no checkpoint is written: it would vouch for what is not clean");
            return Ok(outcome);
        }
        let number = self.before.next_number();
        let checkpoint = Checkpoint {
            v: 1,
            number,
            bucket: self.place.bucket.clone(),
            prefix: self.place.prefix.clone(),
            from: self.from.map(|from| from.to_string()),
            to: self.to.to_string(),
            previous: self.before.last_hash(),
            chained_since: proven.chained_since.clone(),
            hours: proven.hours.clone(),
            open: proven.runs_without_end.clone(),
            key: String::new(),
        };
        self.before.append(&self.file, checkpoint, key)?;
        if is_json {
            let to = self.to.to_string();
            output::say_json(&json!({"checkpoint": self.file, "number": number, "to": to}))?;
        } else {
            output::say(&format!("checkpoint {number} up to {} appended\n", self.to))?;
        }
        Ok(outcome)
    }
}

/// The span of the next checkpoint: from the end of the last one to the last hour that is over.
fn next(
    file: &Path,
    before: &Checkpoints,
    log: &reconcile::Args,
) -> Result<(Option<Timestamp>, Timestamp), Failure> {
    if before.to().is_some() && log.range.from.is_some() {
        return Err(Failure::config(format!(
            "--from: {} says where to go on; leave it out",
            file.display()
        )));
    }
    let settle = Duration::seconds(log.settle.into());
    let now = Timestamp::new(OffsetDateTime::now_utc());
    let closed = moved(now, -(settle + CLOSED_AFTER));
    let to = log.range.to.map_or(closed, |to| to.min(closed));
    let from = before.to().or(log.range.from.map(begin_of_hour));
    Ok((from, begin_of_hour(to)))
}

fn no_checkpoint(file: &Path) -> Failure {
    Failure::config(format!(
        "{} holds no checkpoint; payctl verify --checkpoint {} --key KEY writes one",
        file.display(),
        file.display()
    ))
}
