//! Who may pay: the file of clients, and the credentials that requests bring.
//!
//! - [`mod@file`]: the TOML file, read strictly; [`load`] reads it from disk and tells when it has changed.
//! - [`registry`]: finds the client of a credential.
//! - [`bearer`]: keys that are sent as they are; the file holds their hashes.
//! - [`signature`]: signed requests (RFC 9421), and [`digest`] of their bodies (RFC 9530).
//!
//! It decides who a caller is. What a client may do, and how often, is the web tier's business.

pub mod bearer;
pub mod digest;
pub mod file;
pub mod load;
pub mod registry;
pub mod signature;

pub use file::{Client, FileErrors, Key, Limits, Material};
pub use registry::{ClientIndex, Registry};

/// The client that the pay page is. It has no keys: its requests are known by their origin.
pub const PAGE: &str = "page";
