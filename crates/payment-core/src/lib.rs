//! The payment domain: what a payment is, how it is written to the log, and how the log is read back.
//!
//! Owns every rule that decides whether a payment is right and whether two payments are the same.
//! It does no I/O and reads no clock: times and ids come from the caller, so each rule can be tested alone
//! and runs the same in a simulation.
//!
//! - [`payment`]: a request body becomes a [`Payment`], or a [`PaymentError`] that names the member and what to do.
//!   What can be stored is one rule for the door and for every reader; the door adds the policy of today.
//! - [`batch`]: many payments in one body.
//! - [`record`]: a payment as one line of the log, and back.
//! - [`object`]: a whole object of the log, whoever wrote it, as lines.
//! - [`chain`]: how the objects of the log vouch for each other.
//! - [`event`]: what S3, SQS, SNS and EventBridge send to the function, as one type.
//!
//! A new member of a payment is added in [`payment`], [`canonical`] and [`record`] together, with a new record
//! version if an older reader would misread it.

pub mod amount;
pub mod batch;
pub mod canonical;
pub mod card;
pub mod chain;
pub mod client;
mod digits;
pub mod error;
pub mod event;
mod hex;
pub mod id;
pub mod json;
pub mod object;
pub mod object_key;
pub mod object_version;
pub mod payment;
pub mod record;
mod state;
pub mod timestamp;

pub use amount::{Amount, Currency};
pub use canonical::ContentHash;
pub use card::CardCheck;
pub use client::{CLIENT_HEADER, ClientName, InvalidClientName, PaymentKey};
pub use error::{ErrorCode, Problem};
pub use id::{PaymentId, RequestId};
pub use object_key::ObjectKey;
pub use object_version::{ETag, ObjectVersion};
pub use payment::{Draft, Payment, PaymentError, Status};
pub use record::{LogRecord, RecordError, RejectedLine};
pub use state::PaymentState;
pub use timestamp::Timestamp;
