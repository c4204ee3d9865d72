#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod file;
mod registry;
mod rfc9421;
mod signed_elsewhere;
