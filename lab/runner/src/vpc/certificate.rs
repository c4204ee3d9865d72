//! The database's certificate: on AWS, too, programs check it with the name of the host.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use super::{DATABASE, Error};
use crate::{files, state::LabDir};

/// Files in PEM form.
#[derive(Clone, Debug)]
pub struct Files {
    /// For `DB_CA_BUNDLE`.
    pub ca: PathBuf,
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Files {
    pub fn of(dir: &LabDir) -> Self {
        Self {
            ca: dir.config("ca.pem"),
            certificate: dir.config("database.pem"),
            key: dir.config("database-key.pem"),
        }
    }

    /// Makes a CA, has it sign, and forgets its key.
    pub fn make(&self) -> Result<(), Error> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let params = CertificateParams::new([DATABASE.to_owned()])?;
        let certificate = params.signed_by(&key, &ca)?;
        files::write(&self.ca, &ca.pem())?;
        files::write(&self.certificate, &certificate.pem())?;
        files::write(&self.key, &key.serialize_pem())?;
        Ok(())
    }
}
