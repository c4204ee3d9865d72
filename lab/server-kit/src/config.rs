//! Configuration files, and their mistakes, reported all at once.

use std::fmt::Display;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::caller::AccessKeyIds;
use crate::secret::Secret;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the configuration {} does not have the expected format", path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the configuration is invalid:\n  {}", .0.join("\n  "))]
    Invalid(Vec<String>),
}

/// Reads a JSON file.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = fs::read(path).map_err(|source| ConfigError::Read {
        path: path.into(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|source| ConfigError::Parse {
        path: path.into(),
        source,
    })
}

/// Whether the text consists of letters, digits, `-` and `_`.
pub fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(plain)
}

/// Collects mistakes.
#[derive(Debug, Default)]
pub struct ConfigErrors(Vec<String>);

impl ConfigErrors {
    pub fn add(&mut self, mistake: impl Display) {
        self.0.push(mistake.to_string());
    }

    pub fn unless(&mut self, fine: bool, mistake: impl Display) {
        if !fine {
            self.add(mistake);
        }
    }

    pub fn within(&mut self, name: &str, value: u64, low: u64, high: u64) {
        if !(low..=high).contains(&value) {
            self.add(format!("{name}: {value} is not within {low} to {high}"));
        }
    }

    /// Validates the members that all servers of AWS protocols have in common.
    pub fn of_server(
        &mut self,
        listen: SocketAddr,
        region: &str,
        account_id: &str,
        access_key_ids: &AccessKeyIds,
        control_token: Option<&Secret>,
    ) {
        self.unless(
            listen.ip().is_loopback(),
            "listen: must be a loopback address",
        );
        self.unless(
            is_word(region),
            "region: letters, digits and `-`, such as us-west-2",
        );
        self.unless(
            account_id.len() == 12 && account_id.bytes().all(|byte| byte.is_ascii_digit()),
            "account_id: must be twelve digits",
        );
        self.unless(
            access_key_ids.are_usable(),
            "access_key_ids: at least one, each 16 to 128 letters and digits",
        );
        self.unless(
            control_token.is_none_or(|token| !token.is_empty()),
            "control_token: must not be empty; leave it out to disable fault injection",
        );
    }

    pub fn into_result(self) -> Result<(), ConfigError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid(self.0))
        }
    }
}
