//! What the three programs share and none of them owns: configuration from the environment, logs, secrets,
//! the settings of AWS clients, and the life of an HTTP server from its port to its drain.
//!
//! It knows nothing of payments beyond error codes and request ids. What only one program needs stays there.

pub mod access_log;
pub mod admin;
pub mod aws;
pub mod env;
pub mod http;
pub mod metrics;
pub mod program;
pub mod s3;
pub mod secret;
pub mod server;
pub mod spans;
pub mod telemetry;

pub use env::Env;
pub use secret::Secret;
