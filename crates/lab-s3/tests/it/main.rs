//! The server as its clients see it: through the AWS SDK, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of tests fails by panicking, as a test does"
)]

mod access;
mod checksums;
mod conditions;
mod events;
mod listing;
mod multipart;
mod objects;
mod process;
mod restart;
mod support;
