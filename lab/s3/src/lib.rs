//! The lab's S3: a real S3 server on loopback.
//!
//! Clients need only an endpoint and credentials: the AWS SDKs, the AWS CLI and the project's programs use it like
//! Amazon's S3.
//!
//! It owns the objects under its root directory, and the events that it emits. It knows nothing about the meaning of
//! objects: there is nothing about payments here.
//!
//! A request passes through `front` (limits, request id), s3s (protocol, `SigV4`), `access` (IAM policies), `ops`
//! (operations), `store` (files), and for a new object `notify` (events). `fault` injects faults at the front and into
//! event delivery. Each module says how to extend it.
//!
//! Differences from Amazon's S3:
//! - objects survive a killed process, but not a power loss: nothing is flushed to disk;
//! - plain HTTP counts as TLS, since it never leaves the machine (see `access::context`);
//! - a body has at most 64 MiB; larger objects need a multipart upload, which does not survive the process;
//! - there are versions and Object Lock only if the configuration gives a bucket a default retention. No request changes
//!   a retention or sets a legal hold;
//! - there are no tags, ACLs or lifecycle rules; requests that need one are refused.

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
    BucketConfig, Config, Credentials, IdentityConfig, NotificationConfig, SecretKey,
};
pub use error::Error;
pub use server::Server;
pub use store::{DefaultRetention, RetentionMode};
