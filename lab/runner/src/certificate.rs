//! Certificates of a lab, by a CA of its own: with `--vpc` the database's, with `--tls` that of tiers and load balancers.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::{
    files,
    state::LabDir,
    vpc::{DATABASE, INTERNAL_ALB},
};

/// Files in PEM form.
#[derive(Clone, Debug)]
pub struct Files {
    /// The CA's certificate, for `DB_CA_BUNDLE`, `APP_TIER_CA_FILE`, `ALB_CA_FILE`.
    pub ca: PathBuf,
    /// Certificate, with its key in the same file.
    pub database: PathBuf,
    /// Certificate, with its key in the same file, as haproxy reads it.
    pub servers: PathBuf,
}

impl Files {
    pub fn of(dir: &LabDir) -> Self {
        Self {
            ca: dir.config("ca.pem"),
            database: dir.config("database.pem"),
            servers: dir.config("servers.pem"),
        }
    }

    /// Makes a CA, has it sign, and forgets its key.
    pub fn make(&self) -> Result<()> {
        let pems = pems().context("no certificate can be made")?;
        for (path, pem) in [&self.ca, &self.database, &self.servers]
            .into_iter()
            .zip(pems)
        {
            files::write(path, &pem)?;
        }
        Ok(())
    }
}

/// The CA's certificate, the database's, and that of the servers.
fn pems() -> Result<[String; 3], rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    // Without names of their own, OpenSSL takes a certificate for its own issuer.
    params.distinguished_name.push(DnType::CommonName, "lab CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let servers = ["localhost", "127.0.0.1", INTERNAL_ALB];
    Ok([ca.pem(), signed(&ca, &[DATABASE])?, signed(&ca, &servers)?])
}

/// A certificate for these names, and its key.
fn signed(ca: &CertifiedIssuer<'_, KeyPair>, names: &[&str]) -> Result<String, rcgen::Error> {
    let key = KeyPair::generate()?;
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let name = names.first().cloned().unwrap_or_default();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.push(DnType::CommonName, name);
    let certificate = params.signed_by(&key, ca)?;
    Ok(certificate.pem() + &key.serialize_pem())
}
