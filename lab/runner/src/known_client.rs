//! Clients of a lab that makes its own load: each with a key of its own, made for one run.

use std::{fmt::Write as _, path::Path};

use anyhow::{Context as _, Result};
use clients::bearer::{KeyHash, new_id, new_key};

use crate::{files, secret::Secret};

const NO_RANDOM_BYTES: &str = "the operating system gives no random bytes";

/// A client that may pay.
#[derive(Clone, Debug)]
pub struct KnownClient {
    pub name: String,
    pub key: Secret,
    /// Requests per second that each web tier takes from it; `None` for no limit.
    pub rate: Option<u32>,
}

impl KnownClient {
    /// A client with a new key and no limit.
    pub fn new(name: impl Into<String>) -> Result<Self> {
        Ok(Self {
            name: name.into(),
            key: Secret::new(new_key().ok().context(NO_RANDOM_BYTES)?),
            rate: None,
        })
    }

    #[must_use]
    pub fn limited(mut self, rate: u32) -> Self {
        self.rate = Some(rate);
        self
    }
}

/// Writes the file of these clients, for `CLIENTS_FILE`.
pub fn write_file(path: &Path, clients: &[KnownClient]) -> Result<()> {
    let mut text = String::new();
    for KnownClient { name, key, rate } in clients {
        let _ = writeln!(text, "[clients.{name}]");
        if let Some(rate) = rate {
            let _ = writeln!(text, "rate = {rate}");
        }
        let (id, hash) = (
            new_id().ok().context(NO_RANDOM_BYTES)?,
            KeyHash::of(key.expose()),
        );
        let _ = writeln!(
            text,
            "[[clients.{name}.keys]]\nid = \"{id}\"\nsha256 = \"{hash}\"\ncreated = 2026-01-01T00:00:00Z\n"
        );
    }
    Ok(files::write(path, &text)?)
}

/// The value of the header Authorization with a key.
pub fn authorization(key: &Secret) -> String {
    format!("Bearer {}", key.expose())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_back_as_these_clients() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clients.toml");
        let clients = [
            KnownClient::new("one").unwrap(),
            KnownClient::new("two").unwrap().limited(5),
        ];
        write_file(&path, &clients).unwrap();
        let (registry, _) = clients::load::load(&path).unwrap();
        let read: Vec<_> = registry
            .clients()
            .iter()
            .map(|client| (client.name.as_str(), client.limits.rate.map(u32::from)))
            .collect();
        assert_eq!(read, [("one", None), ("two", Some(5))]);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(clients[0].key.expose()));
    }
}
