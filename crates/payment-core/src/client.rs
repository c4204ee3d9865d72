//! The client that a payment belongs to: ids are unique within a client.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::PaymentId;

/// Longest name of a client, in bytes: the width of its column.
pub const CLIENT_NAME_BYTES_MAX: usize = 32;

/// Carries the client's name from the web tier, which authenticated it, to the app tier. Absent: the empty name.
pub const CLIENT_HEADER: &str = "x-payment-client";

/// The name of a client: 1 to 32 of `a-z 0-9 -`. The empty name, which is the default, owns the payments of open
/// intake, of version 1 records and of older systems; it cannot be parsed, so no caller can ask for it by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ClientName(Box<str>);

/// What identifies a payment: the same id at two clients is two payments. Sorted as the unique key of the rows is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentKey {
    pub id: PaymentId,
    pub client: ClientName,
}

/// The message does not repeat the text: it may be a credential in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a client name must be 1 to 32 of the characters a-z 0-9 -")]
pub struct InvalidClientName;
const _: () = assert!(
    CLIENT_NAME_BYTES_MAX == 32,
    "the message of InvalidClientName names the length"
);

impl ClientName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether no client is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A name from the journal or a row, in which the empty name is written as it is.
    pub fn from_stored(text: &str) -> Result<Self, InvalidClientName> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        text.parse()
    }
}

impl FromStr for ClientName {
    type Err = InvalidClientName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
        let is_name = (1..=CLIENT_NAME_BYTES_MAX).contains(&text.len());
        (is_name && text.bytes().all(is_allowed))
            .then(|| Self(text.into()))
            .ok_or(InvalidClientName)
    }
}

impl TryFrom<&str> for ClientName {
    type Error = InvalidClientName;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for ClientName {
    type Error = InvalidClientName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ClientName> for String {
    fn from(name: ClientName) -> Self {
        name.0.into()
    }
}

impl PaymentKey {
    /// Reads it from a row. `None` if a column does not have the form of its value.
    pub fn from_stored(id: &str, client: &str) -> Option<Self> {
        Some(Self {
            id: PaymentId::from_stored(id)?,
            client: ClientName::from_stored(client).ok()?,
        })
    }
}

/// A payment of open intake.
impl From<PaymentId> for PaymentKey {
    fn from(id: PaymentId) -> Self {
        let client = ClientName::default();
        Self { id, client }
    }
}

/// Shows it to people: `order-1 of client shop`, and the id alone if no client is named.
impl fmt::Display for PaymentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, client } = self;
        if client.is_empty() {
            return write!(f, "{id}");
        }
        write!(f, "{id} of client {client}")
    }
}

impl fmt::Display for ClientName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p10_a_client_name_keeps_to_its_alphabet_and_length() {
        for good in ["a", "shop-1", "-", "0", &"x".repeat(32)] {
            assert_eq!(
                good.parse::<ClientName>().map(String::from).as_deref(),
                Ok(good)
            );
        }
        for bad in [
            "",
            " ",
            "A",
            "a b",
            "a_b",
            "a.b",
            "a/b",
            "ä",
            "a\n",
            "a,b",
            &"x".repeat(33),
        ] {
            assert_eq!(bad.parse::<ClientName>(), Err(InvalidClientName), "{bad:?}");
        }
        assert!(ClientName::default().is_empty());
        assert_eq!(ClientName::from_stored(""), Ok(ClientName::default()));
    }
}
