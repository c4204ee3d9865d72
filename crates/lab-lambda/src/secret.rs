//! Configuration that must not show up in a log.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The function's own environment variables. Debug shows their names alone.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Access key ids whose bearers may call the API. Here they are secrets; the module `api` says why.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyIds(Vec<String>);

impl AccessKeyIds {
    pub fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Whether `id` is one of them; takes as long for a near miss as for a far one.
    pub fn contains(&self, id: &str) -> bool {
        self.0.iter().fold(false, |found, known| {
            found | same(known.as_bytes(), id.as_bytes())
        })
    }

    /// None at all, or one that AWS would not make: 16 to 128 letters and digits.
    pub fn are_unusable(&self) -> bool {
        let usable = |id: &String| {
            (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        self.0.is_empty() || !self.0.iter().all(usable)
    }
}

/// One text that is told to nobody but whom it is for: a secret access key, a token.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: String) -> Self {
        Self(text)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .fold(0, |difference, (x, y)| difference | (x ^ y))
            == 0
}

impl fmt::Debug for AccessKeyIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKeyIds({} not shown)", self.0.len())
    }
}
