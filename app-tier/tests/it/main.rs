#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod intake;
mod scripted_log;
