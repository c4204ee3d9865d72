//! A row of `rejects` as its columns stand, held against its line.

use payment_core::{LogRecord, PaymentKey, RecordError, RejectedLine, Timestamp};
use sqlx::Row as _;
use sqlx::mysql::MySqlRow;
use sqlx::types::time::PrimitiveDateTime;

use super::row::Stored;
use crate::ingest::REFUSED_BY_DATABASE;

pub(super) const SELECT: &str = "SELECT id, object_line, object_etag, reason, is_own, payment_id, recorded_at, \
    recorded_at > UTC_TIMESTAMP(6), client FROM rejects";

/// What can't be read differs from every line. The detail is left out: it is prose, and other versions say it otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectRow {
    pub id: u64,
    pub object_line: u32,
    pub is_own: bool,
    pub payment_id: Option<String>,
    pub client: String,
    reason: String,
    recorded_at: Option<Timestamp>,
    is_from_the_future: bool,
    /// It is older than the columns that say whose line it was.
    has_no_version: bool,
}

impl RejectRow {
    pub(super) fn read(row: &MySqlRow) -> Self {
        let text = |column| row.try_get::<Option<String>, _>(column).ok().flatten();
        let recorded_at = row.try_get::<Option<PrimitiveDateTime>, _>(6);
        Self {
            id: row.try_get(0).unwrap_or_default(),
            object_line: row.try_get(1).unwrap_or_default(),
            has_no_version: text(2).is_some_and(|etag| etag.is_empty()),
            reason: text(3).unwrap_or_default(),
            is_own: row.try_get(4).unwrap_or_default(),
            payment_id: text(5),
            client: text(8).unwrap_or_default(),
            recorded_at: recorded_at.ok().flatten().map(Timestamp::from_datetime),
            is_from_the_future: row.try_get::<i64, _>(7).unwrap_or(1) != 0,
        }
    }

    /// The payment, if the columns name one.
    pub fn key(&self) -> Option<PaymentKey> {
        PaymentKey::from_stored(self.payment_id.as_deref()?, &self.client)
    }

    /// The function that rejected the line did not know its version, and so not its client.
    fn has_unknown_version(&self) -> bool {
        self.client.is_empty() && self.reason == RecordError::UnsupportedVersion.reason()
    }

    /// The line is a payment, which the database did not take.
    pub fn is_refused_by_database(&self) -> bool {
        self.reason == REFUSED_BY_DATABASE
    }

    /// The columns that are not what this line makes them, in an object stored then. A line that is a payment now was
    /// rejected for a reason of that time, when perhaps nobody could read its id.
    pub fn differing_from_line(
        &self,
        line: Result<&LogRecord, &RejectedLine>,
        in_own_object: bool,
        stored: Stored,
    ) -> Vec<&'static str> {
        let own = match line {
            Ok(record) => Some(record.payment.key()),
            Err(rejected) => rejected.payment.as_ref(),
        };
        let is_unnamed = self.payment_id.is_none() && (line.is_ok() || self.has_no_version);
        let is_own = match line {
            Ok(record) => record.is_own() || self.is_own && in_own_object,
            Err(rejected) => rejected.is_own,
        };
        let is_reason =
            line.map_or_else(|rejected| self.reason == rejected.error.reason(), |_| true);
        let received_at = line.ok().map(|record| record.received_at);
        let recorded_at = self
            .recorded_at
            .filter(|at| !self.is_from_the_future && stored.admits(*at, received_at));
        let alike = [
            ("reason", is_reason),
            ("is_own", self.is_own == is_own || self.has_no_version),
            (
                "payment_id",
                is_unnamed || self.payment_id.as_deref() == own.map(|own| own.id.as_str()),
            ),
            (
                "client",
                is_unnamed
                    || self.has_unknown_version()
                    || self.client == own.map_or("", |own| own.client.as_str()),
            ),
            ("recorded_at", recorded_at.is_some()),
        ];
        alike
            .into_iter()
            .filter_map(|(column, is_alike)| (!is_alike).then_some(column))
            .collect()
    }
}
