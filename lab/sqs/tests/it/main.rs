//! The server as its callers see it: the AWS SDK over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "what a test expects and does not find fails the test"
)]

mod batches;
mod dead_letters;
mod durable;
mod faults;
mod messages;
mod program;
mod refusals;
mod support;
