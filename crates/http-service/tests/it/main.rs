#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batch;
mod body;
mod cores;
mod crowd;
mod layers;
mod server;
mod tls;
