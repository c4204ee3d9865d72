//! One module a command: its arguments, and `run`.

pub mod client;
pub mod doctor;
pub mod key;
pub mod migrate;
pub mod pay;
pub mod receipt;
pub mod reconcile;
pub mod replay;
pub mod sql;
pub mod status;
pub mod trace;
pub mod users;
pub mod verify;
