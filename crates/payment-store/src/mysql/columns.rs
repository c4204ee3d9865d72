//! The columns that the function writes: its statements name them, and its grants allow no others.
//!
//! The database itself sets numbers and times of recording. A user who could set them could use up a table's numbers, or
//! date a row back. Grants do not keep a user from doing so by session variables (`insert_id`, `timestamp`) where the
//! server lets anyone set them: an audit takes no number and no time for right.

macro_rules! payment_columns {
    () => {
        "client, payment_id, transaction, amount, currency, status, payer_name, received_at, extra, request_id, \
         content_hash, object_key, object_line"
    };
}

pub(crate) const TRANSACTIONS: &str = payment_columns!();

/// A conflict is one line of one version of an object, so that a corrected object has conflicts of its own.
pub(crate) const CONFLICTS: &str = concat!(payment_columns!(), ", object_etag");

pub(crate) const REJECTS: &str =
    "object_key, object_etag, object_line, reason, detail, is_own, client, payment_id";

pub(crate) const INGESTED_OBJECTS: &str = "object_key, object_etag, line_count, row_count, duplicate_count, \
    conflict_count, reject_count, sha256, run, seq";

pub(crate) const SWEEP_PROGRESS: &str = "journal, pass, position";

pub(crate) const SWEEP_DEFERRED: &str = "journal, object_key, object_etag, stored_at";

/// Columns that are written, by table.
pub(crate) const WRITTEN: [(&str, &str); 6] = [
    ("transactions", TRANSACTIONS),
    ("conflicts", CONFLICTS),
    ("rejects", REJECTS),
    ("ingested_objects", INGESTED_OBJECTS),
    ("sweep_progress", SWEEP_PROGRESS),
    ("sweep_deferred", SWEEP_DEFERRED),
];
