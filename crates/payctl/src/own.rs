//! A line that is no payment, and whose it is.

use payment_core::{ObjectKey, PaymentId, RecordError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// This system wrote the line, and so accepted the payment: it is to be a row all the same.
    pub is_own: bool,
    pub payment_id: Option<PaymentId>,
    pub reason: &'static str,
}

impl Rejected {
    pub fn of(key: &ObjectKey, error: &RecordError) -> Self {
        Self {
            is_own: is_own_batch(key),
            payment_id: None,
            reason: error.reason(),
        }
    }
}

/// Whether the key is one that the app tier makes: `PREFIX dt=…/hh=…/UUID-NODE.ndjson`.
pub fn is_own_batch(key: &ObjectKey) -> bool {
    let mut parts = key.as_str().rsplit('/');
    let mut next = || parts.next().unwrap_or_default();
    let (name, hour, day) = (next(), next(), next());
    let unique = name.strip_suffix(".ndjson").and_then(|name| name.get(..36));
    unique.is_some_and(|unique| uuid::Uuid::try_parse(unique).is_ok())
        && hour.starts_with("hh=")
        && day.starts_with("dt=")
}
