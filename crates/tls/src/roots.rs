//! The CAs that a client trusts.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::{ClientConfig, RootCertStore};

/// The CAs that may vouch for a server.
#[derive(Debug, Clone)]
pub struct Roots(Arc<RootCertStore>);

/// Why a file of CAs can't be used.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    #[error("it can't be read as certificates in PEM form")]
    Pem(#[source] pem::Error),
    #[error("it holds no certificate in PEM form")]
    Empty,
    #[error("it holds a certificate that can't be used")]
    Unusable(#[source] rustls::Error),
}

/// TLS can't be set up.
#[derive(Debug, thiserror::Error)]
#[error("TLS can't be set up")]
pub struct Error(#[from] rustls::Error);

impl Roots {
    /// Trusts nobody: for a client that calls plain servers alone.
    pub fn none() -> Self {
        Self(Arc::new(RootCertStore::empty()))
    }

    /// Loads the CAs of this machine, or of the file that `SSL_CERT_FILE` names.
    pub fn of_the_system() -> Self {
        let mut store = RootCertStore::empty();
        // A machine without any can still call servers without TLS; at others the error names the CA file.
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self(Arc::new(store))
    }

    /// Loads the CAs of a file in PEM form, and no others.
    pub fn of_file(path: &Path) -> Result<Self, RootsError> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(path).map_err(RootsError::Pem)? {
            let certificate = certificate.map_err(RootsError::Pem)?;
            store.add(certificate).map_err(RootsError::Unusable)?;
        }
        if store.is_empty() {
            return Err(RootsError::Empty);
        }
        Ok(Self(Arc::new(store)))
    }

    /// Whether no server can be verified.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The settings of a client that verifies a server's certificate and name.
    pub fn client(&self) -> Result<ClientConfig, Error> {
        Ok(ClientConfig::builder_with_provider(crate::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(Arc::clone(&self.0))
            .with_no_client_auth())
    }
}
