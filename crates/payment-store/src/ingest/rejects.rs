//! Lines that are no payment go to `rejects`, whose unique key is the line.

use payment_core::client::CLIENT_NAME_BYTES_MAX;
use payment_core::id::ID_BYTES_MAX;
use payment_core::{PaymentKey, RejectedLine};

use super::insert::Table;
use super::plan::Entry;
use crate::backend::Session;
use crate::driver::DriverError;
use crate::error::Error;
use crate::version::VersionColumns;

/// Characters in `detail`.
const DETAIL_CHARS_MAX: usize = 255;

/// Bytes of a payment's id and client.
const KEY_BYTES_MAX: usize = ID_BYTES_MAX + CLIENT_NAME_BYTES_MAX;

/// Reason of a reject whose line is a payment that the database did not take.
pub(crate) const REFUSED_BY_DATABASE: &str = "refused_by_database";

/// Why a line is no row. Nothing in it comes from the line, but for the payment's id and client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    pub line: u32,
    /// A stable word.
    pub reason: &'static str,
    pub detail: String,
    /// This system wrote the line, and so accepted the payment.
    pub is_own: bool,
    /// The payment, if the line names one clearly.
    pub payment: Option<PaymentKey>,
}

impl Reject {
    pub(super) fn unreadable(line: u32, rejected: &RejectedLine) -> Self {
        Self {
            line,
            reason: rejected.error.reason(),
            detail: cut(&rejected.error.to_string()),
            is_own: rejected.is_own,
            payment: rejected.payment.clone(),
        }
    }

    pub(super) fn refused(entry: &Entry<'_>, error: &DriverError) -> Self {
        Self {
            line: entry.line,
            reason: REFUSED_BY_DATABASE,
            detail: cut(&error.to_string()),
            is_own: entry.record.is_own(),
            payment: Some(entry.key().clone()),
        }
    }
}

fn cut(detail: &str) -> String {
    detail.chars().take(DETAIL_CHARS_MAX).collect()
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
        self.object.key().len() + reject.reason.len() + reject.detail.len() + KEY_BYTES_MAX
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
