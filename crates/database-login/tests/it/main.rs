//! Logins at a real server with TLS, whose CA is made here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod certificates;
mod secrets_manager;
mod server;

mod odd_server;
mod rotation;
mod token;
mod trust;
