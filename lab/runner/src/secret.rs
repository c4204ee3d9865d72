//! A value that must not be seen.

use std::fmt;

use rand::{RngExt as _, distr::Alphanumeric};
use serde::{Deserialize, Serialize};

/// Cannot print itself. It is written only to files that the owner alone can read.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// Letters and digits only, so that it needs quoting nowhere: SQL, URL, shell.
    pub fn random(length: usize) -> Self {
        Self(random_text(length))
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[secret]")
    }
}

fn random_text(length: usize) -> String {
    rand::rng()
        .sample_iter(Alphanumeric)
        .take(length)
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn does_not_print_itself() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
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
