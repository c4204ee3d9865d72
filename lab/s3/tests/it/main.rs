//! The server as its clients see it: through the AWS SDK, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails by panicking, as a test does"
)]

mod access;
mod checksums;
mod conditions;
mod event_faults;
mod events;
mod fault_switches;
mod faults;
mod listing;
mod multipart;
mod objects;
mod process;
mod queue;
mod read_faults;
mod restart;
mod support;
mod versions;
