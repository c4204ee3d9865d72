//! Configuration that must not show up in a log.

use std::fmt;

use serde::Deserialize;

/// Access key ids whose bearers may call. Here they are secrets; the module `api` says why.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct AccessKeyIds(Vec<String>);

impl AccessKeyIds {
    pub fn new(ids: impl IntoIterator<Item = String>) -> Self {
        Self(ids.into_iter().collect())
    }

    /// Takes as long for a near miss as for a far one.
    pub fn contains(&self, id: &str) -> bool {
        self.0.iter().fold(false, |found, known| {
            found | same(known.as_bytes(), id.as_bytes())
        })
    }

    /// At least one, and each as AWS would make it.
    pub fn are_usable(&self) -> bool {
        let usable = |id: &String| {
            (16..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        !self.0.is_empty() && self.0.iter().all(usable)
    }
}

fn same(a: &[u8], b: &[u8]) -> bool {
    let difference = a.iter().zip(b).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && difference == 0
}

impl fmt::Debug for AccessKeyIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AccessKeyIds({} not shown)", self.0.len())
    }
}

/// What the callers of the faults' interface must show.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ControlToken(String);

impl ControlToken {
    pub fn new(token: String) -> Self {
        Self(token)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn reveal(self) -> String {
        self.0
    }
}

impl fmt::Debug for ControlToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlToken(not shown)")
    }
}
