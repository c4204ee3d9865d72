//! Lines that are no payment go to `rejects`, whose unique key is the line.

use payment_core::RecordError;

use super::insert::Table;
use crate::backend::Session;
use crate::driver::DriverError;
use crate::error::Error;
use crate::version::VersionColumns;

/// Characters in `detail`.
const DETAIL_CHARS_MAX: usize = 255;

/// Why a line is no row. Nothing in it comes from the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub line: u32,
    /// A stable word.
    pub reason: &'static str,
    pub detail: String,
}

impl Reject {
    pub(super) fn unreadable(line: u32, error: &RecordError) -> Self {
        Self::new(line, error.reason(), &error.to_string())
    }

    pub(super) fn too_large(line: u32) -> Self {
        Self::new(line, "too_large", "the record does not fit one statement")
    }

    pub(super) fn refused(line: u32, error: &DriverError) -> Self {
        Self::new(line, "refused_by_database", &error.to_string())
    }

    fn new(line: u32, reason: &'static str, detail: &str) -> Self {
        let detail = detail.chars().take(DETAIL_CHARS_MAX).collect();
        Self {
            line,
            reason,
            detail,
        }
    }
}

pub(super) struct Rejects<'p> {
    object: VersionColumns<'p>,
}

impl<'p> Rejects<'p> {
    pub fn new(object: VersionColumns<'p>) -> Self {
        Self { object }
    }
}

impl<'p> Table for Rejects<'p> {
    type Row = &'p Reject;

    const NAME: &'static str = "rejects";

    fn bytes(&self, reject: &'p Reject) -> usize {
        self.object.key().len() + reject.reason.len() + reject.detail.len()
    }

    async fn insert(
        &self,
        session: &mut impl Session,
        rejects: &[&'p Reject],
    ) -> Result<u64, DriverError> {
        session.insert_rejects(self.object, rejects).await
    }

    fn stored(&mut self, _: &[&'p Reject]) {}

    async fn taken(
        &mut self,
        session: &mut impl Session,
        rejects: &[&'p Reject],
    ) -> Result<Vec<&'p Reject>, Error> {
        let lines: Vec<_> = rejects.iter().map(|reject| reject.line).collect();
        let recorded = session.reject_lines(self.object, &lines).await?;
        Ok(rejects
            .iter()
            .copied()
            .filter(|reject| !recorded.contains(&reject.line))
            .collect())
    }

    fn refused(&mut self, _: &'p Reject, error: DriverError) -> Result<Option<&'p Reject>, Error> {
        Err(error.into())
    }
}
