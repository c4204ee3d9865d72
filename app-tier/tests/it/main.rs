#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod batch;
mod breaker;
mod chain;
mod group_commit;
mod http;
mod intake;
mod log;
#[path = "../../../web-tier/tests/it/odd_requests.rs"]
mod odd_requests;
mod s3_journal;
mod scripted_journal;
mod silent_database;
mod tier;
mod two_nodes;
