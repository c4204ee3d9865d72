//! Ed25519 keys in PEM, as `openssl` reads and writes them: PKCS#8 with the seed alone, and X.509's form of a
//! public key.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use crate::outcome::Failure;
use crate::text_file;

/// A key has some hundred; comments may stand beside it.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// RFC 8410: what stands before the 32 bytes of the seed.
const PRIVATE_START: &[u8] = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

/// The same, before the 32 bytes of a public key.
const PUBLIC_START: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

const PRIVATE: &str = "PRIVATE KEY";
const PUBLIC: &str = "PUBLIC KEY";

/// A key that signs checkpoints.
pub struct SigningKey(Ed25519KeyPair);

/// A key that checkpoints are verified with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// What a file of a key holds.
#[derive(Debug)]
pub enum AnyKey {
    Signing(SigningKey),
    Public(PublicKey),
}

impl SigningKey {
    /// Makes a key and writes it to a file that is not there yet, for its owner alone.
    pub fn create(path: &Path) -> Result<Self, Failure> {
        let mut seed = [0; 32];
        let random = SystemRandom::new();
        random
            .fill(&mut seed)
            .map_err(|_| "the system gave no random bytes")?;
        let key = Self::from_seed(&seed).ok_or("the new key is not one")?;
        let text = pem(PRIVATE, &[PRIVATE_START, &seed].concat());
        text_file::write_secret(path, &text)
            .map_err(|error| unusable(path, &format!("can't be written: {error}")))?;
        Ok(key)
    }

    fn from_seed(seed: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    pub fn public(&self) -> Option<PublicKey> {
        self.0.public_key().as_ref().try_into().ok().map(PublicKey)
    }

    pub fn sign(&self, text: &[u8]) -> String {
        BASE64.encode(self.0.sign(text))
    }
}

impl AnyKey {
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = text_file::read(path, FILE_BYTES_MAX)
            .map_err(|error| unusable(path, &format!("can't be read: {error}")))?;
        let private = der(&text, PRIVATE);
        let seed = private
            .as_deref()
            .and_then(|der| der.strip_prefix(PRIVATE_START));
        let public = der(&text, PUBLIC);
        let public = public
            .as_deref()
            .and_then(|der| der.strip_prefix(PUBLIC_START)?.try_into().ok());
        match (seed.and_then(SigningKey::from_seed), public) {
            (Some(key), _) => Ok(Self::Signing(key)),
            (None, Some(key)) => Ok(Self::Public(PublicKey(key))),
            (None, None) => Err(unusable(
                path,
                "holds no Ed25519 key in PEM; payctl key new makes one",
            )),
        }
    }

    pub fn public(&self) -> Option<PublicKey> {
        match self {
            Self::Signing(key) => key.public(),
            Self::Public(key) => Some(*key),
        }
    }
}

impl PublicKey {
    pub fn parse(text: &str) -> Option<Self> {
        BASE64.decode(text).ok()?.try_into().ok().map(Self)
    }

    pub fn verifies(self, text: &[u8], signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        let signature = BASE64.decode(signature);
        signature.is_ok_and(|signature| key.verify(text, &signature).is_ok())
    }

    pub fn pem(self) -> String {
        pem(PUBLIC, &[PUBLIC_START, &self.0].concat())
    }
}

/// The 32 bytes, in Base64.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.0))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public()).finish()
    }
}

fn unusable(path: &Path, why: &str) -> Failure {
    Failure::config(format!("the key file {} {why}", path.display()))
}

/// One line of text: neither kind of key fills a second.
fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

fn der(text: &str, label: &str) -> Option<Vec<u8>> {
    let (_, text) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (text, _) = text.split_once(&format!("-----END {label}-----"))?;
    let text: String = text.split_ascii_whitespace().collect();
    BASE64.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// RFC 8410, section 10.3.
    const EXAMPLE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
    const EXAMPLE_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";

    #[test]
    fn p11_a_key_of_the_standard_is_read_and_its_public_half_written() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, EXAMPLE).unwrap();
        let key = AnyKey::read(&path).unwrap();
        assert!(matches!(key, AnyKey::Signing(_)));
        assert_eq!(key.public().unwrap().pem(), EXAMPLE_PUBLIC);
        fs::write(&path, EXAMPLE_PUBLIC).unwrap();
        let public = AnyKey::read(&path).unwrap();
        assert_eq!(public.public(), key.public());
        assert_eq!(
            PublicKey::parse(&key.public().unwrap().to_string()),
            key.public()
        );
    }

    #[test]
    fn p11_a_new_key_signs_and_never_overwrites() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("key.pem");
        let key = SigningKey::create(&path).unwrap();
        assert!(SigningKey::create(&path).is_err());
        let AnyKey::Signing(read) = AnyKey::read(&path).unwrap() else {
            panic!("it signs")
        };
        let public = key.public().unwrap();
        assert_eq!(read.public(), Some(public));
        let signature = read.sign(b"text");
        assert!(public.verifies(b"text", &signature));
        assert!(!public.verifies(b"other", &signature));
        assert!(!public.verifies(b"text", "AAAA"));
    }
}
