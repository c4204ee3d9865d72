#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod admin;
mod api;
mod page;
mod proxy;
mod tier;
mod traces;
