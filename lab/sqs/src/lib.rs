//! The lab's SQS: standard queues that the AWS SDKs and the AWS CLI use as they use Amazon's.
//!
//! It owns the messages under its root directory. It must not know what a message means: any text is a body.
//!
//! A request passes `api` (protocol, one module for each group of operations), `access` (who may do what) and `store` (what is
//! on disk, who may see a message when). Queues come from the configuration; none is made by a call.
//!
//! As with Amazon's: a message is on disk before its sender is answered; it is delivered at least once, in no
//! promised order; one that is not deleted in time comes again, and after `max_receive_count` times goes to the
//! dead-letter queue.
//!
//! Differences: no FIFO queues, no tags, no encryption settings; a restart makes every message visible,
//! also a delayed one; only the receipt handle of the last receive deletes a message, where Amazon's says `might not`
//! of older ones; a move task is done when it is answered.

mod access;
mod api;
mod arn;
mod config;
mod fault;
mod server;
mod store;

pub use config::{Config, QueueConfig, RedriveConfig};
pub use server::{Server, StartError};
