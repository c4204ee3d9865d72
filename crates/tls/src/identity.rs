//! What a server shows of itself.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};

/// The files of a server's certificate chain and private key, in PEM form. One file may hold both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// What the files hold. It cannot print itself: one of them is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// Why certificate and key can't be served.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("can't read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} holds no certificate in PEM form", .0.display())]
    NoCertificate(PathBuf),
    #[error("{} holds no private key in PEM form", .0.display())]
    NoKey(PathBuf),
    #[error("the key in {} is not that of the certificate in {}", key.display(), certificate.display())]
    Mismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate in {} can't be served with the key in {}", certificate.display(), key.display())]
    Unusable {
        certificate: PathBuf,
        key: PathBuf,
        #[source]
        source: rustls::Error,
    },
}

impl Identity {
    /// Reads both files.
    pub fn read(&self) -> Result<Pem, IdentityError> {
        Ok(Pem {
            certificate: read(&self.certificate)?,
            key: read(&self.key)?,
        })
    }

    /// The settings of a server with this identity, for HTTP/1.1. `pem` is what its files hold.
    pub fn server(&self, pem: &Pem) -> Result<Arc<ServerConfig>, IdentityError> {
        let no_certificate = || IdentityError::NoCertificate(self.certificate.clone());
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem.certificate)
            .collect::<Result<_, _>>()
            .map_err(|_| no_certificate())?;
        if chain.is_empty() {
            return Err(no_certificate());
        }
        let key = PrivateKeyDer::from_pem_slice(&pem.key)
            .map_err(|_| IdentityError::NoKey(self.key.clone()))?;
        let mut config = ServerConfig::builder_with_provider(crate::provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|source| self.refused(source))?;
        config.alpn_protocols = vec![crate::HTTP_1_1.to_vec()];
        Ok(Arc::new(config))
    }

    fn refused(&self, source: rustls::Error) -> IdentityError {
        let Self { certificate, key } = self.clone();
        match source {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                IdentityError::Mismatch { certificate, key }
            }
            source => IdentityError::Unusable {
                certificate,
                key,
                source,
            },
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, IdentityError> {
    std::fs::read(path).map_err(|source| IdentityError::Read {
        path: path.to_owned(),
        source,
    })
}

impl fmt::Debug for Pem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pem(***)")
    }
}

#[cfg(test)]
mod tests {
    use rcgen::generate_simple_self_signed;
    use tempfile::TempDir;

    use super::*;

    /// The certificate and key of a server, in files.
    fn identity(folder: &TempDir, certificate: &str, key: &str) -> Identity {
        let path = |name, text| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        Identity {
            certificate: path("certificate.pem", certificate),
            key: path("key.pem", key),
        }
    }

    fn served(identity: &Identity) -> Result<Arc<ServerConfig>, IdentityError> {
        identity.server(&identity.read()?)
    }

    #[test]
    fn each_mistake_in_a_pair_of_files_is_named() {
        let folder = TempDir::new().unwrap();
        let [one, other] = ["one", "other"].map(|name| generate_simple_self_signed([name.into()]));
        let (one, other) = (one.unwrap(), other.unwrap());
        let (certificate, key) = (one.cert.pem(), one.signing_key.serialize_pem());
        let served = |certificate: &str, key: &str| served(&identity(&folder, certificate, key));

        assert!(served(&certificate, &key).is_ok());
        // One file for both.
        let both = certificate.clone() + &key;
        assert!(served(&both, &both).is_ok());
        for (certificate, key, mistake) in [
            ("", key.as_str(), "holds no certificate"),
            (&certificate, "", "holds no private key"),
            (&certificate, &certificate, "holds no private key"),
            (
                &certificate,
                &other.signing_key.serialize_pem(),
                "is not that of",
            ),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                &key,
                "can't be served",
            ),
        ] {
            let text = served(certificate, key).unwrap_err().to_string();
            assert!(text.contains(mistake), "{text}");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let folder = TempDir::new().unwrap();
        let mut identity = identity(&folder, "", "");
        identity.key = "/nonexistent.pem".into();
        let text = identity.read().unwrap_err().to_string();
        assert_eq!(text, "can't read /nonexistent.pem");
    }

    #[test]
    fn p8_a_key_is_not_printed() {
        let folder = TempDir::new().unwrap();
        let pem = identity(&folder, "a", "hunter2").read().unwrap();
        assert!(!format!("{pem:?}").contains("hunter2"));
    }
}
