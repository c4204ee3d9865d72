//! One key of a client.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use payment_core::Timestamp;
use ring::hmac;
use toml::Spanned;
use toml::de::DeValue;

use super::{Material, Reader};
use crate::bearer::KeyHash;

/// Shortest secret of HMAC, in bytes: as long as its digest.
const SECRET_BYTES_MIN: usize = 32;

const ID_BYTES_MAX: usize = 64;

/// A credential of a client.
#[derive(Debug, Clone)]
pub struct Key {
    /// Unique in the file; in a signature it is `keyid`.
    pub id: Box<str>,
    pub material: Material,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
}

impl Key {
    /// Whether it has not expired.
    pub fn is_good_at(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    /// What kind of key it is, as it is written in the file.
    pub fn kind(&self) -> &'static str {
        match self.material {
            Material::Bearer(_) => "sha256",
            Material::Ed25519(_) => "ed25519",
            Material::Hmac(_) => "hmac_sha256",
        }
    }
}

/// The members of a key, as far as they were right.
#[derive(Default)]
struct Parts {
    id: Option<Box<str>>,
    created: Option<Timestamp>,
    expires: Option<Timestamp>,
    material: Vec<Option<Material>>,
}

impl Reader<'_> {
    pub(super) fn key(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Key> {
        let (at, before) = (value.span().start, self.mistakes.len());
        let mut parts = Parts::default();
        for member in self.table(value, "a key")? {
            let value = member.1;
            match member.0.get_ref().as_ref() {
                "id" => parts.id = self.id(value),
                "created" => parts.created = self.time(value),
                "expires" => parts.expires = self.time(value),
                "sha256" => parts.material.push(self.hash(value)),
                "ed25519" => parts.material.push(self.public_key(value)),
                "hmac_sha256" => parts.material.push(self.secret(value)),
                _ => self.unknown(
                    member,
                    "id, created, expires, and one of sha256, ed25519 and hmac_sha256",
                ),
            }
        }
        if self.mistakes.len() > before {
            return None;
        }
        self.whole(at, parts)
    }

    fn whole(&mut self, at: usize, mut parts: Parts) -> Option<Key> {
        let material = parts.material.pop().flatten();
        let is_one = parts.material.is_empty();
        let (Some(id), Some(created), Some(material), true) =
            (parts.id, parts.created, material, is_one)
        else {
            let what =
                "a key needs id, created, and exactly one of sha256, ed25519 and hmac_sha256";
            self.mistake(at, what);
            return None;
        };
        if parts.expires.is_some_and(|expires| expires <= created) {
            self.mistake(at, "the key expires before it is created");
        }
        Some(Key {
            id,
            material,
            created,
            expires: parts.expires,
        })
    }

    fn id(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Box<str>> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let id = value
            .get_ref()
            .as_str()
            .filter(|id| (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_allowed));
        let Some(id) = id else {
            let what = format!("an id must be text, 1 to {ID_BYTES_MAX} of A-Z a-z 0-9 . _ -");
            self.mistake(value.span().start, what);
            return None;
        };
        if !self.key_ids.insert(id.into()) {
            self.mistake(
                value.span().start,
                "another key in this file has the same id; give it its own",
            );
        }
        Some(id.into())
    }

    fn time(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Timestamp> {
        let time = value.get_ref().as_datetime();
        let time = time.and_then(|time| Timestamp::parse(&time.to_string()));
        if time.is_none() {
            let what =
                "this must be a time with its zone, without quotes, such as 2026-11-27T08:00:00Z";
            self.mistake(value.span().start, what);
        }
        time
    }

    fn hash(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Material> {
        let Some(hash) = value.get_ref().as_str().and_then(KeyHash::parse) else {
            let what = "sha256 must be the SHA-256 of a key, 64 hexadecimal digits; payctl client rotate makes a key with its hash";
            self.mistake(value.span().start, what);
            return None;
        };
        if !self.hashes.insert(hash) {
            self.mistake(
                value.span().start,
                "another key in this file has the same sha256; remove one",
            );
        }
        Some(Material::Bearer(hash))
    }

    fn public_key(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Material> {
        let key = base64(value).and_then(|key| key.try_into().ok());
        if key.is_none() {
            let what = "ed25519 must be a public key: its 32 bytes in Base64";
            self.mistake(value.span().start, what);
        }
        key.map(Material::Ed25519)
    }

    fn secret(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Material> {
        let secret = base64(value).filter(|secret| secret.len() >= SECRET_BYTES_MIN);
        if secret.is_none() {
            let what = format!(
                "hmac_sha256 must be a secret of at least {SECRET_BYTES_MIN} bytes in Base64"
            );
            self.mistake(value.span().start, what);
        }
        secret.map(|secret| Material::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }
}

fn base64(value: &Spanned<DeValue<'_>>) -> Option<Vec<u8>> {
    STANDARD.decode(value.get_ref().as_str()?).ok()
}
