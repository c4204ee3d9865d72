//! The host as its callers see it: real sockets, real processes, the real Lambda runtime client inside the
//! function (`examples/probe_function.rs`).

#![expect(
    clippy::unwrap_used,
    reason = "what a test expects and does not find fails the test"
)]

mod access;
mod asynchronous;
mod dead_letter_queue;
mod environments;
mod event_source;
mod failures;
mod faults;
mod lifecycle;
mod program;
mod runtime_api;
mod sqs;
mod support;
mod synchronous;
