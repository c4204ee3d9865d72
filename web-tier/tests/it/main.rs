#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod addresses;
mod admin;
mod api;
mod edges;
mod log;
mod odd_requests;
mod page;
mod proxy;
mod tier;
mod traces;
