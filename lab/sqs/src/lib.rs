//! The lab's SQS: standard queues that the AWS SDKs and the AWS CLI use like Amazon's.
//!
//! It owns the messages under its root directory, and does not know what a message means: any text is a valid body.
//!
//! A request passes through `api` (the protocol, one module per group of operations), `access` (authorization) and
//! `store` (what is on disk, and when a message is visible). Queues come from the configuration; no call creates one.
//!
//! As with Amazon's SQS, a message is on disk before its sender is answered. It is delivered at least once, in no
//! guaranteed order. A message that is not deleted in time is delivered again, and moves to the dead-letter queue after
//! `max_receive_count` receives.
//!
//! Differences: no FIFO queues, no tags, no encryption settings. A restart makes every message visible, including
//! delayed ones. Only the receipt handle of the latest receive deletes a message; Amazon's documentation says that
//! older ones "might not". A move task is complete when it is answered.

mod access;
mod api;
mod arn;
mod config;
mod fault;
mod server;
mod store;

pub use config::{Config, QueueConfig, RedriveConfig};
pub use server::Server;
