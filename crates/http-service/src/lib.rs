//! What both tiers share: the life of an HTTP server from its port to its drain, what they do around every request,
//! how they refuse one, and how they are watched.
//!
//! It knows nothing of payments beyond error codes and ids.

pub mod access_log;
pub mod admin;
pub mod http;
pub mod metrics;
pub mod server;
pub mod spans;

use program::env::Variable;

/// What each program with an HTTP server reads, for `--help`.
pub const VARIABLES: &[Variable] = &[
    server::Listen::ADDR,
    server::Listen::DRAIN,
    server::Tls::CERTIFICATE,
    server::Tls::KEY,
    admin::Admin::ADDR,
    spans::Collector::ENDPOINT,
];
