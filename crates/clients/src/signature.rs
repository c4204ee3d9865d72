//! Signed requests (RFC 9421): what a signature covers, and whether it is right.
//!
//! A signature must cover the method and the path; that of a POST also Content-Digest, and Idempotency-Key or the type of
//! a batch. So the body can't be exchanged, and whoever repeats the request repeats its payments (promise P4) instead of
//! making others.

mod base;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, Method, Uri};
use payment_core::{Timestamp, batch};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use sfv::{BareItem, Dictionary, InnerList, Item, Key, ListEntry, Parser};

pub(crate) use self::base::joined;
use crate::Material;

pub const SIGNATURE: HeaderName = HeaderName::from_static("signature");
pub const SIGNATURE_INPUT: HeaderName = HeaderName::from_static("signature-input");

/// Longest time from a signature to its request.
pub const AGE_SECONDS_MAX: i64 = 5 * 60;

/// A client's clock may be ahead by this much.
const AHEAD_SECONDS_MAX: i64 = 60;

/// What a signature covers of a request that asks.
pub const READING: &[&str] = &["@method", "@path"];

/// What a signature covers of one payment.
pub const PAYING: &[&str] = &["@method", "@path", "content-digest", "idempotency-key"];

/// What a signature covers of a batch. Its payments have their ids in the body, and its type says that it is a batch: as a
/// single payment it would be another one with each repeat.
pub const BATCH: &[&str] = &["@method", "@path", "content-digest", "content-type"];

/// The label of signatures that are made here.
const LABEL: &str = "sig";

/// The head of a request.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub headers: &'a HeaderMap,
}

/// A signature, before anyone has looked whether it is right.
#[derive(Debug)]
pub struct Signed {
    covered: InnerList,
    signature: Vec<u8>,
}

/// What signs requests of a client.
#[derive(Debug)]
pub enum SigningKey {
    Ed25519(Ed25519KeyPair),
    Hmac(hmac::Key),
}

impl Message<'_> {
    /// What a signature of this request has to cover.
    pub fn required(&self) -> &'static [&'static str] {
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
        match *self.method {
            Method::POST if content_type.is_some_and(batch::is_batch) => BATCH,
            Method::POST => PAYING,
            _ => READING,
        }
    }
}

/// Reads the first signature by a key that `known` knows. One at most is then verified, however many a client sends.
pub fn read<T>(message: &Message<'_>, known: impl Fn(&str) -> Option<T>) -> Option<(T, Signed)> {
    let inputs = dictionary(message.headers, &SIGNATURE_INPUT)?;
    let signatures = dictionary(message.headers, &SIGNATURE)?;
    inputs.into_iter().find_map(|(label, covered)| {
        let ListEntry::InnerList(covered) = covered else {
            return None;
        };
        let key = known(parameter(&covered, "keyid")?.as_string()?.as_str())?;
        let ListEntry::Item(signature) = signatures.get(&label)? else {
            return None;
        };
        let signature = signature.bare_item.as_byte_sequence()?.to_vec();
        Some((key, Signed { covered, signature }))
    })
}

impl Signed {
    /// Whether the key made this signature of this request, lately, and over all that matters.
    pub fn verify(&self, material: &Material, message: &Message<'_>, now: Timestamp) -> bool {
        self.covers(message.required())
            && self.is_fresh(now.to_utc().unix_timestamp())
            && self.is_by(material, message)
    }

    fn covers(&self, required: &[&str]) -> bool {
        required.iter().all(|name| {
            let mut names = self.covered.items.iter();
            names.any(|item| {
                item.bare_item
                    .as_string()
                    .is_some_and(|it| it.as_str() == *name)
            })
        })
    }

    fn is_fresh(&self, now: i64) -> bool {
        let seconds =
            |name| parameter(&self.covered, name).map(|value| value.as_integer().map(i64::from));
        let is_new = match seconds("created") {
            Some(Some(created)) => {
                (-AHEAD_SECONDS_MAX..=AGE_SECONDS_MAX).contains(&(now - created))
            }
            _ => false,
        };
        let is_over = match seconds("expires") {
            Some(Some(expires)) => expires <= now,
            Some(None) => true,
            None => false,
        };
        is_new && !is_over
    }

    /// Whether the key made it, whenever that was and whatever it covers.
    pub fn is_by(&self, material: &Material, message: &Message<'_>) -> bool {
        let algorithm = parameter(&self.covered, "alg");
        let is_same = |name: &str| {
            algorithm.is_none_or(|said| said.as_string().is_some_and(|said| said.as_str() == name))
        };
        let Some(base) = base::of(message, &self.covered) else {
            return false;
        };
        let (base, signature) = (base.as_bytes(), &self.signature);
        match material {
            Material::Bearer(_) => false,
            Material::Ed25519(key) => {
                let key = UnparsedPublicKey::new(&ED25519, key);
                is_same("ed25519") && key.verify(base, signature).is_ok()
            }
            Material::Hmac(key) => {
                is_same("hmac-sha256") && hmac::verify(key, base, signature).is_ok()
            }
        }
    }
}

impl SigningKey {
    /// Makes a key of its secret half: the seed of Ed25519, or the secret of HMAC.
    pub fn new(algorithm: &str, secret: &[u8]) -> Option<Self> {
        match algorithm {
            "ed25519" => Ed25519KeyPair::from_seed_unchecked(secret)
                .ok()
                .map(Self::Ed25519),
            "hmac-sha256" => Some(Self::Hmac(hmac::Key::new(hmac::HMAC_SHA256, secret))),
            _ => None,
        }
    }

    /// Like [`SigningKey::new`], with the secret in Base64.
    pub fn parse(algorithm: &str, secret: &str) -> Option<Self> {
        Self::new(algorithm, &STANDARD.decode(secret).ok()?)
    }

    /// The public key in Base64, as the file of clients has it; an HMAC has none.
    pub fn public_key(&self) -> Option<String> {
        match self {
            Self::Ed25519(key) => Some(STANDARD.encode(key.public_key())),
            Self::Hmac(_) => None,
        }
    }

    /// The values of Signature-Input and Signature for a request that has its other headers.
    pub fn sign(
        &self,
        message: &Message<'_>,
        key_id: &str,
        now: Timestamp,
    ) -> Option<(String, String)> {
        let items = message.required().iter();
        let items = items.map(|name| Some(Item::new(text(name)?)));
        let mut covered = InnerList::new(items.collect::<Option<_>>()?);
        let created = sfv::Integer::try_from(now.to_utc().unix_timestamp()).ok()?;
        covered.params.insert(name("created")?, created.into());
        covered.params.insert(name("keyid")?, text(key_id)?);
        let base = base::of(message, &covered)?;
        let signature = match self {
            Self::Ed25519(key) => STANDARD.encode(key.sign(base.as_bytes())),
            Self::Hmac(key) => STANDARD.encode(hmac::sign(key, base.as_bytes())),
        };
        let covered = base::parameters(&covered)?;
        Some((
            format!("{LABEL}={covered}"),
            format!("{LABEL}=:{signature}:"),
        ))
    }
}

/// Returns the secret of a new key, in Base64: 256 random bits, for either algorithm.
pub fn new_secret() -> Result<String, ring::error::Unspecified> {
    Ok(STANDARD.encode(crate::bearer::random::<32>()?))
}

fn dictionary(headers: &HeaderMap, name: &HeaderName) -> Option<Dictionary> {
    Parser::new(&joined(headers, name)?).parse().ok()
}

fn parameter<'a>(covered: &'a InnerList, name: &str) -> Option<&'a BareItem> {
    covered.params.get(name)
}

fn text(text: &str) -> Option<BareItem> {
    sfv::String::try_from(text.to_owned())
        .ok()
        .map(BareItem::String)
}

fn name(name: &str) -> Option<Key> {
    Key::try_from(name.to_owned()).ok()
}
