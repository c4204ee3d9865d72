//! One object of the log becomes rows, conflicts and rejects: whole or not at all, and once.
//!
//! `plan` sorts the lines by payment id, `tally` says what becomes of a line, `insert` is the one loop that
//! inserts, and `payments`, `conflicts` and `rejects` are the tables that it inserts into. The object's own row
//! of `ingested_objects` is written last and in the same transaction.

mod conflicts;
mod insert;
mod payments;
mod plan;
mod rejects;
mod tally;

use std::time::Duration;

use payment_core::ObjectVersion;
use payment_core::record::Line;

use self::conflicts::Conflicts;
use self::payments::Payments;
use self::plan::Plan;
use self::rejects::Rejects;
use self::tally::count;
pub use self::{plan::Entry, rejects::Reject};
use crate::Store;
use crate::backend::{Backend, Session};
use crate::driver::Kind;
use crate::error::Error;
use crate::lease::within;
use crate::retry::Tries;
use crate::version::VersionColumns;

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

impl<B: Backend> Store<B> {
    /// Records the lines of one version of an object. To call it again, or in several places at once, adds nothing.
    /// What fails for a passing reason is tried again; the call ends within 35 s.
    pub async fn ingest_object(
        &self,
        version: &ObjectVersion,
        lines: &[Line],
    ) -> Result<Outcome, Error> {
        let object = VersionColumns::new(version)?;
        let plan = Plan::new(lines);
        let mut tries = Tries::start();
        let mut unanswered = None;
        loop {
            match within(TRY_TIME_MAX, self.try_once(object, &plan, &mut unanswered)).await {
                Ok(outcome) => return Ok(as_ours(outcome, unanswered)),
                Err(error) => tries.after(error, &self.backend).await?,
            }
        }
    }

    /// Records lines of an object that the ledger has already: those that were rejected and are understood now.
    /// The ledger stays as it is. To call it again adds nothing.
    pub async fn ingest_lines(
        &self,
        version: &ObjectVersion,
        lines: &[Line],
    ) -> Result<Outcome, Error> {
        let object = VersionColumns::new(version)?;
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

    async fn try_once(
        &self,
        object: VersionColumns<'_>,
        plan: &Plan<'_>,
        unanswered: &mut Option<Outcome>,
    ) -> Result<Outcome, Error> {
        let mut session = self.backend.session().await?;
        let outcome = take(&mut session, object, plan, unanswered).await;
        session.end();
        outcome
    }
}

/// Leaves in `unanswered` what it sent to be committed and got no answer to.
async fn take(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    plan: &Plan<'_>,
    unanswered: &mut Option<Outcome>,
) -> Result<Outcome, Error> {
    if let Some(taken) = session.ingested(object).await? {
        return Ok(taken);
    }
    session.begin().await?;
    match insert_object(session, object, plan).await {
        Ok(Some(outcome)) => {
            *unanswered = Some(outcome);
            session.commit().await?;
            Ok(outcome)
        }
        Ok(None) => {
            session.rollback().await?;
            let taken = session.ingested(object).await?;
            taken.ok_or(Error::Vanished { table: LEDGER })
        }
        Err(error) => {
            // Where this fails, too, the session is of no more use, and its end rolls back.
            let _ = session.rollback().await;
            Err(error)
        }
    }
}

/// `None` where another transaction took the object.
async fn insert_object(
    session: &mut impl Session,
    object: VersionColumns<'_>,
    plan: &Plan<'_>,
) -> Result<Option<Outcome>, Error> {
    let outcome = insert_lines(session, object, plan).await?;
    match session.insert_ingested(object, &outcome).await {
        Ok(stored) => insert::all_stored(LEDGER, 1, stored).map(|()| Some(outcome)),
        Err(error) if error.kind() == Kind::KeyTaken => Ok(None),
        Err(error) => Err(error.into()),
    }
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
