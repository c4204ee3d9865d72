//! New keys, and where their secrets go.

use std::fs;
use std::path::PathBuf;

use clients::bearer::{self, KeyHash};
use clients::signature::{SigningKey, new_secret};
use payment_core::{ClientName, Timestamp};
use time::OffsetDateTime;

use crate::clients_file::NewKey;
use crate::outcome::Failure;
use crate::text_file;

const NO_RANDOMNESS: &str = "the system gave no random bytes";

/// A key that was just made.
pub struct Made {
    id: String,
    material: (&'static str, String),
    secret: Secret,
}

enum Secret {
    /// Key to be shown.
    Bearer(String),
    /// Key to be written to a file that is not there yet.
    Signing {
        algorithm: &'static str,
        secret: String,
        path: PathBuf,
    },
}

impl Made {
    pub fn bearer() -> Result<Self, Failure> {
        let key = bearer::new_key().map_err(|_| NO_RANDOMNESS)?;
        Ok(Self {
            id: bearer::new_id().map_err(|_| NO_RANDOMNESS)?,
            material: ("sha256", KeyHash::of(&key).to_string()),
            secret: Secret::Bearer(key),
        })
    }

    pub fn signing(algorithm: &'static str, path: PathBuf) -> Result<Self, Failure> {
        let secret = new_secret().map_err(|_| NO_RANDOMNESS)?;
        let key = SigningKey::parse(algorithm, &secret).ok_or("the new key is not one")?;
        let material = match key.public_key() {
            Some(public) => ("ed25519", public),
            None => ("hmac_sha256", secret.clone()),
        };
        Ok(Self {
            id: bearer::new_id().map_err(|_| NO_RANDOMNESS)?,
            material,
            secret: Secret::Signing {
                algorithm,
                secret,
                path,
            },
        })
    }

    pub fn entry(&self, expires: Option<Timestamp>) -> NewKey {
        NewKey {
            id: self.id.clone(),
            material: self.material.clone(),
            created: Timestamp::new(OffsetDateTime::now_utc()),
            expires,
        }
    }

    /// The key, if people are to see it.
    pub fn shown(&self) -> Option<&str> {
        match &self.secret {
            Secret::Bearer(key) => Some(key),
            Secret::Signing { .. } => None,
        }
    }

    /// Writes the secret to its file, and saves the other half only then: a key that nobody has would be of no use.
    pub fn hand_out(
        &self,
        name: &ClientName,
        save: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Secret::Signing {
            algorithm,
            secret,
            path,
        } = &self.secret
        else {
            return save();
        };
        let text = format!(
            "# Signs requests of the client {name}: payctl pay --sign. Keep it secret.\n\
             keyid = \"{}\"\nalgorithm = \"{algorithm}\"\nsecret = \"{secret}\"\n",
            self.id
        );
        text_file::write_secret(path, &text).map_err(|error| {
            Failure::config(format!(
                "can't write the key file {}: {error}",
                path.display()
            ))
        })?;
        save().inspect_err(|_| {
            // What it signs would be refused.
            let _ = fs::remove_file(path);
        })
    }
}
