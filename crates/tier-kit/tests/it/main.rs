#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod body;
mod layers;
mod server;
