//! When are two payments the same? When the SHA-256 of their canonical form is.
//!
//! The canonical form is one JSON object: members sorted by name, no white space, absent members left out, the
//! amount in its normal form, the currency filled in, numbers inside `extra` as they were sent. The client's name is
//! one of the members, and is absent if it is empty. So
//! `{"amount":1}` and `{"currency":"USD","amount":"1.00"}` are the same payment.
//! The form is fixed for ever: hashes in the log and in the database were made with it.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::hex;
use crate::json::{self, Order};
use crate::payment::{Content, Payment};

/// SHA-256 over a payment's canonical form.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// 64 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        hex::parse(text).map(Self)
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        hex::push(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

impl Payment {
    /// Returns the SHA-256 of what makes two payments the same.
    pub fn content_hash(&self) -> ContentHash {
        ContentHash(Sha256::digest(self.canonical_form()).into())
    }

    fn canonical_form(&self) -> String {
        let Content {
            transaction,
            amount,
            currency,
            status,
            payer_name,
            extra,
        } = &self.content;
        let mut form = String::with_capacity(256);
        form.push('{');
        if let Some(amount) = amount {
            member("amount", &amount.to_string(), &mut form);
        }
        if !self.client().is_empty() {
            member("client", self.client().as_str(), &mut form);
        }
        if let Some(currency) = currency {
            member("currency", currency.code(), &mut form);
        }
        form.push_str("\"extra\":");
        json::write_object(extra, &mut form, Order::Sorted);
        form.push(',');
        member("id", self.id().as_str(), &mut form);
        if let Some(payer_name) = payer_name {
            member("payer_name", payer_name, &mut form);
        }
        member("status", status.as_str(), &mut form);
        if let Some(transaction) = transaction {
            member("transaction", transaction, &mut form);
        }
        // Every member ends with a comma; the last one's place is taken by the brace.
        form.pop();
        form.push('}');
        form
    }
}

/// Names hold nothing that is to be escaped.
fn member(name: &str, value: &str, form: &mut String) {
    form.push('"');
    form.push_str(name);
    form.push_str("\":");
    json::write_string(value, form);
    form.push(',');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PaymentId;
    use crate::payment::Draft;

    fn payment(body: &str) -> Payment {
        Draft::parse(body.as_bytes())
            .unwrap()
            .identify(None, || PaymentId::parse("made").unwrap())
            .unwrap()
    }

    #[test]
    fn the_canonical_form_is_fixed() {
        let full = payment(
            r#"{"transaction":"rent","x":{"b":1.10,"a":"ä"},"payer_name":"Jane","status":"failed","amount":1e2,"currency":"EUR","id":"a"}"#,
        );
        assert_eq!(
            full.canonical_form(),
            r#"{"amount":"100.00","currency":"EUR","extra":{"x":{"a":"ä","b":1.10}},"id":"a","payer_name":"Jane","status":"failed","transaction":"rent"}"#
        );
        assert_eq!(
            payment("{}").canonical_form(),
            r#"{"extra":{},"id":"made","status":"processed"}"#
        );
        assert_eq!(
            payment(r#"{"id":"test123","transaction":"roundtrip"}"#)
                .content_hash()
                .to_string(),
            "7b30fcd4e5a5bdb8201d640a6f5520f1eea9dbe40ee5ff3d0a1206b426a406aa"
        );
    }

    #[test]
    fn p4_the_same_content_has_the_same_hash_however_it_is_written() {
        let first = payment(r#"{"id":"a","amount":1}"#);
        for same in [
            r#"{"amount":"1.00","id":"a"}"#,
            r#"{"currency":"USD", "amount":1.0, "id":"\u0061"}"#,
            r#"{"status":"processed","payer_name":null,"amount":10e-1,"id":"a"}"#,
        ] {
            assert_eq!(payment(same).content_hash(), first.content_hash(), "{same}");
        }
        for other in [
            r#"{"id":"b","amount":1}"#,
            r#"{"id":"a","amount":1.01}"#,
            r#"{"id":"a","amount":1,"x":0}"#,
        ] {
            assert_ne!(
                payment(other).content_hash(),
                first.content_hash(),
                "{other}"
            );
        }
    }

    #[test]
    fn p10_the_hash_covers_the_client_beside_a_member_of_that_name() {
        let body = r#"{"id":"a","client":"shop","amount":1}"#;
        let open = payment(body);
        let shop = open.clone().of_client("shop".parse().unwrap());
        assert_eq!(
            open.canonical_form(),
            r#"{"amount":"1.00","currency":"USD","extra":{"client":"shop"},"id":"a","status":"processed"}"#
        );
        assert_eq!(
            shop.canonical_form(),
            r#"{"amount":"1.00","client":"shop","currency":"USD","extra":{"client":"shop"},"id":"a","status":"processed"}"#
        );
        assert_ne!(open.content_hash(), shop.content_hash());
    }

    #[test]
    fn hex_round_trips() {
        let hash = payment("{}").content_hash();
        assert_eq!(ContentHash::parse(&hash.to_string()), Some(hash));
        for bad in ["", "ab", &"A".repeat(64), &"0".repeat(63), &"0".repeat(66)] {
            assert_eq!(ContentHash::parse(bad), None);
        }
    }
}
