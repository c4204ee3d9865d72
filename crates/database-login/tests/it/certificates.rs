//! A CA of the test's own, and what it signs.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use time::{Duration, OffsetDateTime};

/// The host by which the tests reach their server: this machine, and yet not known as it, so that the rules
/// for another machine hold.
pub const HOST: &str = "0.0.0.0";

pub struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM form.
#[derive(Clone)]
pub struct Pair {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Ca {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    /// The file for `DB_CA_BUNDLE`.
    pub fn bundle(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        std::fs::write(&path, self.issuer.pem()).unwrap();
        path
    }

    pub fn sign(&self, folder: &Path, host: &str, until: OffsetDateTime) -> Pair {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_before = until - Duration::days(365);
        params.not_after = until;
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let name = format!(
            "{host}-{}",
            OffsetDateTime::now_utc().unix_timestamp_nanos()
        );
        let pair = Pair {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
        };
        std::fs::write(&pair.certificate, certificate.pem()).unwrap();
        std::fs::write(&pair.key, key.serialize_pem()).unwrap();
        pair
    }

    pub fn sign_well(&self, folder: &Path) -> Pair {
        self.sign(folder, HOST, OffsetDateTime::now_utc() + Duration::days(1))
    }
}
