#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod address;
mod addresses;
mod admin;
mod api;
mod batch;
mod callers;
mod clients;
mod clients_log;
mod edges;
mod limits;
mod log;
mod odd_requests;
mod origin;
mod page;
mod people;
mod proxy;
mod receipt;
mod tier;
mod tls;
mod traces;
