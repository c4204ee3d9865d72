//! Values that must not appear in a log.

use std::fmt;

use rand::{RngExt as _, distr::Alphanumeric};
use serde::{Deserialize, Serialize};

/// A secret, such as a password, an access key or a token. It cannot print itself, and is written only to files that
/// only their owner can read.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Generates letters and digits only, which need no quoting in SQL, URLs and shells.
    pub fn random(length: usize) -> Self {
        let rng = rand::rng();
        Self(
            rng.sample_iter(Alphanumeric)
                .take(length)
                .map(char::from)
                .collect(),
        )
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn a_secret_does_not_print_itself() {
        let shown = format!("{:?}", Secret::new("hunter2"));
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn random_ones_differ_and_need_no_quoting() {
        let (one, other) = (Secret::random(32), Secret::random(32));
        assert_ne!(one, other);
        assert_eq!(one.expose().len(), 32);
        assert!(
            one.expose()
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric())
        );
    }
}
