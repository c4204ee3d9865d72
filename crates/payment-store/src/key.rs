//! The object keys that the database can tell apart.

use payment_core::ObjectKey;

use crate::error::Error;

/// Characters in `object_key`: with four bytes each they fit an index, which takes 3,072 bytes.
pub const KEY_CHARS_MAX: usize = 700;

/// A key as its column takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyColumn<'a>(&'a str);

impl<'a> KeyColumn<'a> {
    pub fn new(key: &'a ObjectKey) -> Result<Self, Error> {
        let key = key.as_str();
        let chars = key.chars().count();
        if chars > KEY_CHARS_MAX {
            return Err(Error::KeyTooLong { chars });
        }
        // The only collation that both servers have, utf8mb4_bin, leaves spaces at the end out of comparisons:
        // such an object would pass for ingested once its namesake is.
        if key.ends_with(' ') {
            return Err(Error::KeyEndsInSpace);
        }
        Ok(Self(key))
    }

    pub fn as_str(self) -> &'a str {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p2_a_key_that_would_pass_for_another_is_an_error() {
        let check = |key: &str| {
            KeyColumn::new(&ObjectKey::parse(key).unwrap())
                .map(KeyColumn::as_str)
                .is_ok()
        };
        assert!(check("transactions/a b.json"));
        assert!(check(&"a".repeat(KEY_CHARS_MAX)));
        assert!(check(&"ä".repeat(512)));
        assert!(!check(&"a".repeat(KEY_CHARS_MAX + 1)));
        assert!(!check("transactions/a.json "));
    }
}
