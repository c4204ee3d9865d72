//! TLS from files in PEM form: the certificate and key of a server, and the CAs that a client trusts.
//!
//! It knows no sockets and no HTTP. Both sides speak TLS 1.2 and 1.3 on ring, as the AWS SDK and the database driver do.

mod identity;
mod roots;

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};

pub use identity::{Identity, IdentityError, Pem};
pub use roots::{Error, Roots, RootsError};

/// The one protocol that the tiers speak, as ALPN names it.
pub const HTTP_1_1: &[u8] = b"http/1.1";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
