//! The handler with the real SDK, the lab's S3 and a real database, one a test: `DATABASE_URL` is that of a user
//! who may create databases. `cargo lab test` provides it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod ahead;
mod bucket;
mod chain;
mod events;
mod sweep;
