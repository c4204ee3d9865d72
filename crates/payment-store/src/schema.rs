//! The name of a schema that may hold the pipeline's tables.

use std::fmt;

/// The server's own schemas. Tables in them survive no upgrade, and rights on them are rights on the server.
const SYSTEM: [&str; 4] = ["mysql", "sys", "performance_schema", "information_schema"];

const CHARS_MAX: usize = 64;

/// Fit to stand between backquotes as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema<'a>(&'a str);

/// Why a name can't be that of the pipeline's schema.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error(
        "the schema {0} belongs to the server itself; name one of the pipeline's own, such as payments, in DATABASE_URL or DB_NAME"
    )]
    System(String),
    #[error("the name of the schema must be 1 to {CHARS_MAX} of the characters A-Z a-z 0-9 _ $ -")]
    Name,
}

impl<'a> Schema<'a> {
    pub fn parse(name: &'a str) -> Result<Self, SchemaError> {
        if SYSTEM.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            return Err(SchemaError::System(name.to_owned()));
        }
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_$-".contains(&byte);
        if name.is_empty() || name.len() > CHARS_MAX || !name.bytes().all(fits) {
            return Err(SchemaError::Name);
        }
        Ok(Self(name))
    }

    /// As a GRANT on a whole schema takes it, where `_` would stand for any character. Servers count the escapes as
    /// part of the name, so that of one too long for them they are left out.
    pub(crate) fn pattern(self) -> String {
        let escaped = self.0.replace('_', "\\_");
        if escaped.len() > CHARS_MAX {
            return self.0.to_owned();
        }
        escaped
    }
}

impl fmt::Display for Schema<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_schemas_and_names_that_need_escapes_are_refused() {
        for good in ["payments", "Payments_2", "pay-ments$"] {
            assert_eq!(Schema::parse(good).unwrap().to_string(), good);
        }
        for system in ["mysql", "SYS", "performance_schema", "Information_Schema"] {
            let error = Schema::parse(system).unwrap_err();
            assert!(matches!(error, SchemaError::System(_)), "{system}");
        }
        for bad in ["", "a`b", "a b", "a.b", "ä", &"a".repeat(65)] {
            let error = Schema::parse(bad).unwrap_err();
            assert!(matches!(error, SchemaError::Name), "{bad}");
        }
        assert_eq!(Schema::parse("a_b").unwrap().pattern(), "a\\_b");
        let long = format!("{}_", "a".repeat(63));
        assert_eq!(Schema::parse(&long).unwrap().pattern(), long);
    }
}
