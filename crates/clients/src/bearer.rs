//! Keys that a client sends as they are: `Authorization: Bearer pk_…`.

use std::fmt;
use std::hash::{Hash, Hasher};

use http::HeaderValue;
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every key starts with, so that secret scanners recognise one that leaked.
const PREFIX: &str = "pk_";

const SECRET_BYTES: usize = 32;

/// A key's SHA-256. A fast hash is enough: the key is 256 random bits, which nobody can guess.
///
/// Two of them are compared in constant time. Finding one in a map shows in which bucket it is, which says nothing of
/// the key: whoever could learn bits of a hash would still have to invert SHA-256.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a key.
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key).into())
    }

    /// 64 hexadecimal digits.
    pub fn parse(hex: &str) -> Option<Self> {
        let mut hash = [0; 32];
        hex::decode_to_slice(hex, &mut hash).ok()?;
        Some(Self(hash))
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// Returns a new key of 256 random bits.
pub fn new_key() -> Result<String, Unspecified> {
    Ok(format!(
        "{PREFIX}{}",
        hex::encode(random::<SECRET_BYTES>()?)
    ))
}

/// Returns a new id of a key: short, since people type it, and not secret.
pub fn new_id() -> Result<String, Unspecified> {
    Ok(format!("k_{}", hex::encode(random::<4>()?)))
}

/// Random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], Unspecified> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes)?;
    Ok(bytes)
}

/// The key of the header Authorization, if it is one of this kind.
pub fn key(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, key) = authorization.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("Bearer")
        .then(|| key.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p10_a_key_is_256_random_bits_and_its_hash_reads_back() {
        let [one, other] = [new_key().unwrap(), new_key().unwrap()];
        assert!(one != other && one.starts_with("pk_") && one.len() == 3 + 64);
        let hash = KeyHash::of(&one);
        assert_eq!(KeyHash::parse(&hash.to_string()), Some(hash));
        assert_ne!(hash, KeyHash::of(&other));
        assert!(!format!("{hash:?}").contains(&hash.to_string()[..4]));
        for bad in ["", "00", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(KeyHash::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        let read = |value| key(&HeaderValue::from_static(value)).map(str::to_owned);
        assert_eq!(read("Bearer pk_1").as_deref(), Some("pk_1"));
        assert_eq!(read("bearer  pk_1").as_deref(), Some("pk_1"));
        for other in ["", "pk_1", "Basic pk_1", "Bearer"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
