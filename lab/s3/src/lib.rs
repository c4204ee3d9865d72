//! The lab's S3: a real S3 server on loopback.
//!
//! Clients need an endpoint and credentials, and nothing else that they would not need for Amazon's:
//! the AWS SDKs, the AWS CLI and the project's programs use it as they use the real one.
//!
//! It owns the objects under its root directory, and the events
//! that it emits. It must not know what the objects mean: nothing of payments is in here.
//!
//! A request passes `front` (limits, request id), s3s (protocol, `SigV4`), `access` (IAM
//! policies), `ops` (the operations), `store` (files), and for a new object `notify` (events).
//! What `fault` has switched on strikes at the front and on the way of events. Each module says how
//! to extend it.
//!
//! Where it differs from Amazon's S3:
//! - objects survive a killed process, not a power cut: nothing is flushed to the disk;
//! - plain HTTP counts as TLS, since it never leaves the machine (see `access::context`);
//! - one body has at most 64 MiB; larger objects come by multipart upload, which ends with the
//!   process;
//! - there are no versions, tags, ACLs, locks or lifecycle rules; what asks for one is refused.

mod access;
mod clock;
mod config;
mod counts;
mod error;
mod fault;
mod front;
mod notify;
mod ops;
mod server;
mod store;

pub use config::{
    BucketConfig, Config, ConfigError, Credentials, IdentityConfig, NotificationConfig, SecretKey,
};
pub use error::Error;
pub use server::Server;
