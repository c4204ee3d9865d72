//! The clients of one file, found by their credentials.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use payment_core::Timestamp;

use crate::PAGE;
use crate::bearer::{self, KeyHash};
use crate::file::{self, Client, FileErrors, Key, Material};
use crate::signature::{self, Message};

/// A client's place in [`Registry::clients`].
pub type ClientIndex = usize;

/// Clients and their keys. It never changes: another file is another registry.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    clients: Vec<Client>,
    bearers: HashMap<KeyHash, KeyPosition>,
    signers: HashMap<Box<str>, KeyPosition>,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy)]
struct KeyPosition {
    client: ClientIndex,
    key: usize,
}

impl Registry {
    /// Reads the text of a file of clients; all mistakes are reported at once.
    pub fn parse(text: &str) -> Result<Self, FileErrors> {
        Ok(Self::new(file::parse(text)?))
    }

    fn new(clients: Vec<Client>) -> Self {
        let mut registry = Self {
            clients,
            ..Self::default()
        };
        for (client, entry) in registry.clients.iter().enumerate() {
            for (key, entry) in entry.keys.iter().enumerate() {
                let place = KeyPosition { client, key };
                match &entry.material {
                    Material::Bearer(hash) => _ = registry.bearers.insert(*hash, place),
                    _ => _ = registry.signers.insert(entry.id.clone(), place),
                }
            }
        }
        registry
    }

    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The client that the pay page is, if it may pay.
    pub fn page(&self) -> Option<ClientIndex> {
        let is_page = |client: &Client| client.name.as_str() == PAGE;
        self.clients.iter().position(is_page)
    }

    /// The client whose credential a request brings. Whatever is wrong with it, the answer is the same.
    pub fn authenticate(&self, message: &Message<'_>, now: Timestamp) -> Option<ClientIndex> {
        let place = match message.headers.get(AUTHORIZATION) {
            Some(authorization) => *self
                .bearers
                .get(&KeyHash::of(bearer::key(authorization)?))?,
            None => self.signer(message, now)?,
        };
        self.key(place)?.is_good_at(now).then_some(place.client)
    }

    fn signer(&self, message: &Message<'_>, now: Timestamp) -> Option<KeyPosition> {
        let (place, signed) = signature::read(message, |id| self.signers.get(id).copied())?;
        let is_good = signed.verify(&self.key(place)?.material, message, now);
        is_good.then_some(place)
    }

    fn key(&self, place: KeyPosition) -> Option<&Key> {
        self.clients.get(place.client)?.keys.get(place.key)
    }

    /// Refuses a file that others than its owner may write, or that everyone may read while it holds a secret.
    pub fn check_mode(&self, mode: u32) -> Result<(), FileErrors> {
        let has_secret = |client: &Client| {
            let mut keys = client.keys.iter();
            keys.any(|key| matches!(key.material, Material::Hmac(_)))
        };
        if mode & 0o022 != 0 {
            let what = "others than its owner may change the file; chmod go-w it";
            return Err(FileErrors::of(what));
        }
        if mode & 0o007 != 0 && self.clients.iter().any(has_secret) {
            let what = "every user may read the file, and it holds the secret of an hmac_sha256 key; chmod o-rwx it";
            return Err(FileErrors::of(what));
        }
        Ok(())
    }
}

/// Whether a request brings anything that claims to be a credential.
pub fn has_credential(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION) || headers.contains_key(signature::SIGNATURE_INPUT)
}
