//! How the programs log in to the database.
//!
//! [`variables`] are what is read, [`config`] makes of them a [`payment_store::LoginSource`]: a login that stays, one from
//! a [`secret`] of Secrets Manager, or a [`token`] of RDS IAM authentication. AWS is asked for the last two alone, and
//! only when the first connection is made.
//!
//! It knows nothing of payments, rows or events.

pub mod arn;
pub mod config;
mod content;
pub mod sdk;
pub mod secret;
pub mod token;
pub mod variables;

pub use config::{optional, required};
