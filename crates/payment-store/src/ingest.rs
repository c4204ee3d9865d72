//! One object of the log becomes rows, conflicts and rejects: whole or not at all, and once.
//!
//! `plan` sorts the lines by payment, `tally` says what becomes of a line, `insert` is the one loop that
//! inserts, and `payments`, `conflicts` and `rejects` are the tables that it inserts into. The object's own row
//! of `ingested_objects` is written last and in the same transaction.

mod conflicts;
mod insert;
mod payments;
mod plan;
mod rejects;
mod tally;

use std::time::Duration;

use futures::future::join;
use payment_core::object::{Line, WHOLE_OBJECT};
use payment_core::{ObjectVersion, RejectedLine};
use tokio::time::{Instant, timeout_at};

use self::conflicts::Conflicts;
use self::payments::Payments;
use self::plan::Plan;
pub(crate) use self::rejects::REFUSED_BY_DATABASE;
use self::rejects::Rejects;
use self::tally::count;
pub use self::{plan::Entry, rejects::Reject};
use crate::backend::{Backend, Session};
use crate::driver::ErrorKind;
use crate::error::Error;
use crate::lease::within;
use crate::retry::Tries;
use crate::version::VersionColumns;
use crate::{Fingerprint, Store};

/// Longest time of one try at one object; the last starts within 20 s. Ten thousand rows take under a second; waiting for a lock 5 s.
const TRY_TIME_MAX: Duration = Duration::from_secs(15);

const LEDGER: &str = "ingested_objects";

/// What became of the lines of one object: `lines` is the sum of the next four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The object was taken before; the counts are those of that time.
    pub already: bool,
    pub lines: u32,
    /// Lines that are rows of `transactions`.
    pub rows: u32,
    /// Lines whose payment was recorded from another line.
    pub duplicates: u32,
    /// Lines whose payment id is held by other content.
    pub conflicts: u32,
    /// Lines that are no payment, or that the database refused.
    pub rejects: u32,
    /// Those of the rejects that this system wrote, and so accepted, as far as this call added them: for the alarm.
    pub own_rejects: u32,
    /// Rows with the status `failed` that this call added, for the alert.
    pub failed: u32,
}

/// The lines of one object, part by part, so that no object has to fit into memory.
pub trait Parts: Send {
    type Error: From<Error> + Send;

    /// The next part, up to [`Part::End`].
    fn next(&mut self) -> impl Future<Output = Result<Part, Self::Error>> + Send;

    /// The object's fingerprint, once the last part was given.
    fn fingerprint(&self) -> Fingerprint;

    /// Goes back to the first part: all is to be tried again.
    fn rewind(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    Lines(Vec<Line>),
    End,
    /// The object is refused as a whole. Its lines count for nothing; one reject says why.
    Refused(RejectedLine),
}

impl Outcome {
    fn add(&mut self, part: &Self) {
        self.lines += part.lines;
        self.rows += part.rows;
        self.duplicates += part.duplicates;
        self.conflicts += part.conflicts;
        self.rejects += part.rejects;
        self.own_rejects += part.own_rejects;
        self.failed += part.failed;
    }
}

impl<B: Backend> Store<B> {
    /// Records the lines of one version of an object, without its fingerprint. To call it again, or in several places at once, adds nothing.
    /// What fails for a passing reason is tried again; the call ends within 35 s.
    pub async fn ingest_object(
        &self,
        version: &ObjectVersion,
        lines: &[Line],
    ) -> Result<Outcome, Error> {
        self.ingest_parts(
            version,
            &mut Whole {
                lines,
                given: false,
            },
        )
        .await
    }

    /// As [`Store::ingest_object`], part by part in one transaction. Each further part may take as long as one try.
    pub async fn ingest_parts<P: Parts>(
        &self,
        version: &ObjectVersion,
        parts: &mut P,
    ) -> Result<Outcome, P::Error> {
        let recorded = version.recorded();
        let object = VersionColumns::new(&recorded)?;
        let mut tries = Tries::start();
        let mut unanswered = None;
        loop {
            match Box::pin(self.try_once(object, parts, &mut unanswered)).await {
                Ok(outcome) => return Ok(as_ours(outcome, unanswered)),
                Err(Failed::Parts(error)) => return Err(error),
                Err(Failed::Store(error)) => tries.after(error, &self.backend).await?,
            }
            parts.rewind().await?;
        }
    }

    /// Records lines of an object that the ledger has already: those that were rejected and are understood now.
    /// The ledger stays as it is. To call it again adds nothing.
    pub async fn ingest_lines(
        &self,
        version: &ObjectVersion,
        lines: &[Line],
    ) -> Result<Outcome, Error> {
        let recorded = version.recorded();
        let object = VersionColumns::new(&recorded)?;
        let plan = Plan::new(lines);
        let mut tries = Tries::start();
        loop {
            match within(TRY_TIME_MAX, self.try_lines(object, &plan)).await {
                Ok(outcome) => return Ok(outcome),
                Err(error) => tries.after(error, &self.backend).await?,
            }
        }
    }

    async fn try_lines(
        &self,
        object: VersionColumns<'_>,
        plan: &Plan<'_>,
    ) -> Result<Outcome, Error> {
        let mut session = self.backend.session().await?;
        session.begin().await?;
        let outcome = insert_lines(&mut session, object, plan).await?;
        session.commit().await?;
        session.end();
        Ok(outcome)
    }

    async fn try_once<P: Parts>(
        &self,
        object: VersionColumns<'_>,
        parts: &mut P,
        unanswered: &mut Option<Outcome>,
    ) -> Result<Outcome, Failed<P::Error>> {
        let limit = Limit::start();
        let session = async { Ok(self.backend.session().await?) };
        let mut session = limit.hold(session).await?;
        let outcome = take(&mut session, object, parts, unanswered, limit).await;
        // A statement that was cut off may have left half an answer on the wire: its connection is closed.
        if !matches!(outcome, Err(Failed::Store(Error::TimedOut { .. }))) {
            session.end();
        }
        outcome
    }
}

/// An object whose lines are all there.
struct Whole<'a> {
    lines: &'a [Line],
    given: bool,
}

impl Parts for Whole<'_> {
    type Error = Error;

    async fn next(&mut self) -> Result<Part, Error> {
        let is_given = std::mem::replace(&mut self.given, true);
        Ok(if is_given {
            Part::End
        } else {
            Part::Lines(self.lines.to_vec())
        })
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::default()
    }

    async fn rewind(&mut self) -> Result<(), Error> {
        self.given = false;
        Ok(())
    }
}

/// What ended a try: the database, or whoever gives the parts.
enum Failed<E> {
    Store(Error),
    Parts(E),
}

impl<E> From<Error> for Failed<E> {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

/// Until when the database may be at work on a try.
#[derive(Clone, Copy)]
struct Limit(Instant);

impl Limit {
    fn start() -> Self {
        Self(Instant::now() + TRY_TIME_MAX)
    }

    async fn hold<T>(self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let limit = TRY_TIME_MAX;
        timeout_at(self.0, work)
            .await
            .unwrap_or(Err(Error::TimedOut { limit }))
    }

    /// As [`Limit::hold`], while the next part is read. Reading takes none of the database's time.
    async fn hold_beside<T, R>(
        &mut self,
        work: impl Future<Output = Result<T, Error>>,
        reading: impl Future<Output = R>,
    ) -> (Result<T, Error>, R) {
        let limit = *self;
        let work = async { (limit.hold(work).await, Instant::now()) };
        let ((worked, at), read) = join(work, reading).await;
        self.0 += at.elapsed();
        (worked, read)
    }
}

/// Leaves in `unanswered` what it sent to be committed and got no answer to.
async fn take<P: Parts>(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    parts: &mut P,
    unanswered: &mut Option<Outcome>,
    mut limit: Limit,
) -> Result<Outcome, Failed<P::Error>> {
    let begin = async {
        let taken = session.ingested(object).await?;
        if taken.is_none() {
            session.begin().await?;
        }
        Ok(taken)
    };
    let (taken, first) = limit.hold_beside(begin, parts.next()).await;
    if let Some(taken) = taken? {
        return Ok(taken);
    }
    match insert_object(session, object, first, parts, &mut limit).await {
        Ok(Some(outcome)) => {
            *unanswered = Some(outcome);
            limit.hold(async { Ok(session.commit().await?) }).await?;
            Ok(outcome)
        }
        Ok(None) => {
            limit.hold(async { Ok(session.rollback().await?) }).await?;
            let taken = limit.hold(session.ingested(object)).await?;
            Ok(taken.ok_or(Error::Vanished { table: LEDGER })?)
        }
        Err(cut @ Failed::Store(Error::TimedOut { .. })) => Err(cut),
        Err(error) => {
            // If this fails, too, the session is of no more use, and its end rolls back.
            let _ = limit.hold(async { Ok(session.rollback().await?) }).await;
            Err(error)
        }
    }
}

/// `None` if another transaction took the object.
async fn insert_object<P: Parts>(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    first: Result<Part, P::Error>,
    parts: &mut P,
    limit: &mut Limit,
) -> Result<Option<Outcome>, Failed<P::Error>> {
    let mut outcome = Outcome::default();
    let mut part = first;
    loop {
        let lines = match part.map_err(Failed::Parts)? {
            Part::Lines(lines) => lines,
            Part::End => break,
            Part::Refused(why) => {
                outcome = limit.hold(insert_refusal(session, object, why)).await?;
                break;
            }
        };
        let plan = Plan::new(&lines);
        let insert = insert_lines(session, object, &plan);
        let (inserted, next) = limit.hold_beside(insert, parts.next()).await;
        outcome.add(&inserted?);
        if let Ok(Part::Lines(_)) = next {
            *limit = Limit::start();
        }
        part = next;
    }
    let fingerprint = parts.fingerprint();
    let inserted = async {
        match session.insert_ingested(object, &outcome, fingerprint).await {
            Ok(stored) => insert::all_stored(LEDGER, 1, stored).map(|()| Some(outcome)),
            Err(error) if error.kind() == ErrorKind::KeyTaken => Ok(None),
            Err(error) => Err(error.into()),
        }
    };
    Ok(limit.hold(inserted).await?)
}

/// In place of all lines, of which some may have been inserted.
async fn insert_refusal(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    why: RejectedLine,
) -> Result<Outcome, Error> {
    session.rollback().await?;
    session.begin().await?;
    let line = [(WHOLE_OBJECT, Err(why))];
    insert_lines(session, object, &Plan::new(&line)).await
}

/// An object that is found taken was taken by this very call, where an earlier try's commit went through and
/// its answer was lost. Without this the alert for its failed payments would be lost, too. Where another call
/// took the object at the same moment, the alert is raised twice.
fn as_ours(found: Outcome, unanswered: Option<Outcome>) -> Outcome {
    let is_ours = |ours: &Outcome| {
        let counts = |o: &Outcome| [o.lines, o.rows, o.duplicates, o.conflicts, o.rejects];
        found.already && counts(ours) == counts(&found)
    };
    unanswered.filter(is_ours).unwrap_or(found)
}

async fn insert_lines(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    plan: &Plan<'_>,
) -> Result<Outcome, Error> {
    let mut payments = Payments::new(object);
    insert::all(session, &mut payments, &plan.groups()).await?;
    let tally = payments.into_tally();

    let mut conflicts = Conflicts::new(object);
    insert::all(session, &mut conflicts, &tally.conflicts).await?;
    let refused = conflicts.into_refused();

    let rejects: Vec<_> = plan
        .rejects
        .iter()
        .chain(&tally.rejects)
        .chain(&refused)
        .collect();
    let own_rejects: Vec<_> = rejects.iter().filter(|reject| reject.is_own).collect();
    insert::all(session, &mut Rejects::new(object), &rejects).await?;

    Ok(Outcome {
        already: false,
        lines: plan.lines,
        rows: tally.rows,
        duplicates: tally.duplicates,
        conflicts: count(&tally.conflicts) - count(&refused),
        rejects: count(&rejects),
        own_rejects: count(&own_rejects),
        failed: tally.failed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_a_commit_whose_answer_was_lost_counts_as_ours() {
        let ours = Outcome {
            lines: 2,
            rows: 2,
            failed: 1,
            ..Outcome::default()
        };
        let found = Outcome {
            already: true,
            failed: 0,
            ..ours
        };
        assert_eq!(as_ours(found, Some(ours)), ours);
        assert_eq!(as_ours(found, None), found);
        assert_eq!(as_ours(found, Some(Outcome { rows: 1, ..ours })), found);
        assert_eq!(as_ours(ours, None), ours);
    }
}
