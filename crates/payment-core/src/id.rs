//! Ids that clients and tiers give: parsed once, at the edge.

use std::fmt;

use uuid::Uuid;

use crate::card::{self, CardCheck};
use crate::json::{self, DEPTH_MAX, Json};

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 64;

/// The idempotency key of a payment: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId(Box<str>);

/// Follows one request from the client's answer to the row. Same characters as a payment's id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Box<str>);

impl PaymentId {
    /// An id that a client gives, in a body, a header or a path. `None` if the text is no id, has only dots (a path
    /// such as `/pay/..` leads elsewhere), or holds a card number: ids stand in paths, logs and keys.
    pub fn parse(text: &str) -> Option<Self> {
        Self::parse_with(text, &CardCheck::ALL)
    }

    /// As [`PaymentId::parse`]; if `id` is exempt it may hold a card number.
    pub fn parse_with(text: &str, cards: &CardCheck) -> Option<Self> {
        let is_free = || cards.is_exempt("id") || !card::is_in(text);
        Self::from_stored(text).filter(|id| !id.is_only_dots() && is_free())
    }

    /// The id of a body that is no payment for another reason, if it may be shown.
    pub fn in_body(body: &[u8], cards: &CardCheck) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let members = json::read_object(text, DEPTH_MAX).ok()?;
        members.iter().find_map(|(name, value)| match value {
            Json::String(id) if name == "id" => Self::parse_with(id, cards),
            _ => None,
        })
    }

    /// An id from the journal or from a row: it was judged when it came in, and only its form is checked.
    pub fn from_stored(text: &str) -> Option<Self> {
        has_form(text).then(|| Self(text.into()))
    }

    /// The id of a payment that came without one: `tx_` and a UUID.
    pub fn made_from(unique: Uuid) -> Self {
        Self(format!("tx_{unique}").into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_only_dots(&self) -> bool {
        self.0.bytes().all(|b| b == b'.')
    }
}

impl From<Uuid> for RequestId {
    fn from(unique: Uuid) -> Self {
        Self(unique.to_string().into())
    }
}

impl RequestId {
    /// An id that a caller gives. `None` if the text is no id, or holds a card number: the caller makes a new one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_stored(text).filter(|_| !card::is_in(text))
    }

    /// As [`PaymentId::from_stored`].
    pub fn from_stored(text: &str) -> Option<Self> {
        has_form(text).then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PaymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Looked at without a branch a byte, many bytes are one instruction.
fn has_form(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() | matches!(b, b'.' | b'_' | b':' | b'-');
    (1..=ID_BYTES_MAX).contains(&text.len())
        && text.bytes().fold(true, |all, byte| all & is_allowed(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_to_their_alphabet_and_length() {
        for good in [
            "a",
            "test123",
            "tx_1747539198353",
            "A.b_c:d-9",
            &"x".repeat(64),
        ] {
            assert_eq!(
                PaymentId::parse(good).map(|id| id.to_string()).as_deref(),
                Some(good)
            );
        }
        for bad in ["", " a", "a b", "a/b", "ä", "a\n", &"x".repeat(65)] {
            assert_eq!(PaymentId::parse(bad), None, "{bad:?}");
            assert_eq!(PaymentId::from_stored(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_id_of_only_dots_is_refused() {
        for dots in [".", "..", "...", &".".repeat(64)] {
            assert_eq!(PaymentId::parse(dots), None, "{dots}");
        }
        for good in ["a.", "..a", "._."] {
            assert!(PaymentId::parse(good).is_some(), "{good}");
        }
    }

    #[test]
    fn p2_a_stored_id_is_read_whatever_the_policy_of_today() {
        for stored in ["...", "4111111111111111"] {
            assert_eq!(PaymentId::from_stored(stored).unwrap().as_str(), stored);
        }
        assert!(RequestId::from_stored("4111111111111111").is_some());
    }

    #[test]
    fn p8_the_id_of_a_refused_body_is_shown_unless_it_is_none() {
        let shown = |body: &str| PaymentId::in_body(body.as_bytes(), &CardCheck::ALL);
        let id = shown(r#"{"amount":-1,"id":"a"}"#).unwrap();
        assert_eq!(id.as_str(), "a");
        for body in [
            "",
            "{}",
            r#"{"id":1}"#,
            r#"{"id":"4111111111111111"}"#,
            r#"{"id":"a"#,
        ] {
            assert_eq!(shown(body), None, "{body}");
        }
    }

    #[test]
    fn p8_a_card_number_is_no_id() {
        assert_eq!(PaymentId::parse("4111111111111111"), None);
        assert_eq!(RequestId::parse("4111-1111-1111-1111"), None);
        assert!(RequestId::parse("019ab0f2-77aa-7c11-8e11-9d0fa1c2b3d4").is_some());
    }
}
