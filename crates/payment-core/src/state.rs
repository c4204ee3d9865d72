//! What became of a payment, as `GET /pay/{id}` says it.

use serde::{Deserialize, Serialize};

/// Where a payment is on its way from the intake to its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentState {
    /// It is durable in S3, and on its way.
    Accepted,
    /// It is a row.
    Recorded,
    /// It is a row, and other content came under the same id.
    Conflict,
    /// It is durable in S3, and the function could not read it or the database refused it.
    Rejected,
}
