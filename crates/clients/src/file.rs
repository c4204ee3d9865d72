//! The file of clients: TOML, read strictly. What is not understood is a mistake, since a limit that is misspelt would
//! be no limit. All mistakes are reported at once, each with its line; none repeats what stands there, which may be a
//! secret.
//!
//! ```toml
//! [clients.shop]
//! rate = 50
//! burst = 100
//! in_flight = 20
//!
//! [[clients.shop.keys]]
//! id = "k_3f9a1c20"
//! sha256 = "…"
//! created = 2026-11-27T08:00:00Z
//! ```

mod key;

use std::collections::HashSet;
use std::fmt;
use std::num::NonZeroU32;

use payment_core::client::ClientName;
use ring::hmac;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use self::key::Key;
use crate::PAGE;
use crate::bearer::KeyHash;

/// Somebody who may pay, or may not any more: without keys nobody can be this client.
#[derive(Debug, Clone)]
pub struct Client {
    pub name: ClientName,
    pub limits: Limits,
    pub keys: Vec<Key>,
}

/// What is not set is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests per second.
    pub rate: Option<NonZeroU32>,
    /// Requests at once, before the rate counts; the rate's own number if it is not set.
    pub burst: Option<NonZeroU32>,
    /// Payments in flight.
    pub in_flight: Option<NonZeroU32>,
}

/// What a key is recognised by.
#[derive(Debug, Clone)]
pub enum Material {
    /// The hash of a key that is sent as it is.
    Bearer(KeyHash),
    /// The public key.
    Ed25519([u8; 32]),
    /// The secret itself: whoever can verify an HMAC can make one.
    Hmac(hmac::Key),
}

/// All that is wrong with a file, a line each.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FileErrors(Vec<String>);

impl FileErrors {
    pub(crate) fn of(what: &str) -> Self {
        Self(vec![what.to_owned()])
    }

    /// Returns the mistakes, one by one.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for FileErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

/// Reads the clients of a file.
pub fn parse(text: &str) -> Result<Vec<Client>, FileErrors> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    for error in errors {
        reader.mistake(error.span().unwrap_or_default().start, error.message());
    }
    if reader.mistakes.is_empty() {
        let clients = reader.document(document.get_ref());
        if reader.mistakes.is_empty() {
            return Ok(clients);
        }
    }
    Err(reader.finish())
}

type Member<'a> = (
    &'a Spanned<std::borrow::Cow<'a, str>>,
    &'a Spanned<DeValue<'a>>,
);

/// A file while it is read.
struct Reader<'a> {
    text: &'a str,
    /// Line and text.
    mistakes: Vec<(usize, String)>,
    key_ids: HashSet<Box<str>>,
    hashes: HashSet<KeyHash>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            mistakes: Vec::new(),
            key_ids: HashSet::new(),
            hashes: HashSet::new(),
        }
    }

    fn finish(mut self) -> FileErrors {
        self.mistakes.sort();
        let line = |(line, what)| format!("line {line}: {what}");
        FileErrors(self.mistakes.into_iter().map(line).collect())
    }

    /// `at` is an offset in the text.
    fn mistake(&mut self, at: usize, what: impl fmt::Display) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        self.mistakes.push((line, what.to_string()));
    }

    fn unknown(&mut self, (name, _): Member<'_>, known: &str) {
        // A name is no secret, but one that is pasted in its place may be.
        self.mistake(
            name.span().start,
            format_args!("this member is not known here; known are {known}"),
        );
    }

    fn document(&mut self, document: &DeTable<'_>) -> Vec<Client> {
        let mut clients = Vec::new();
        for member in document {
            match member.0.get_ref().as_ref() {
                "clients" => {
                    for client in self.table(member.1, "clients").into_iter().flatten() {
                        clients.extend(self.client(client));
                    }
                }
                _ => self.unknown(member, "the tables [clients.NAME]"),
            }
        }
        clients
    }

    fn client(&mut self, (name, value): Member<'_>) -> Option<Client> {
        let at = name.span().start;
        let name = name.get_ref().parse::<ClientName>();
        let name = name.map_err(|error| self.mistake(at, error));
        let (mut limits, mut keys) = (Limits::default(), Vec::new());
        for member in self.table(value, "a client")? {
            match member.0.get_ref().as_ref() {
                "rate" => limits.rate = self.number(member.1),
                "burst" => limits.burst = self.number(member.1),
                "in_flight" => limits.in_flight = self.number(member.1),
                "keys" => keys = self.keys(member.1),
                _ => self.unknown(member, "rate, burst, in_flight and keys"),
            }
        }
        if limits.burst.is_some() && limits.rate.is_none() {
            self.mistake(at, "burst stands without rate; set rate as well");
        }
        let name = name.ok()?;
        if name.as_str() == PAGE && !keys.is_empty() {
            self.mistake(
                at,
                "the client page is the pay page and has no keys; give the program another name",
            );
        }
        Some(Client { name, limits, keys })
    }

    fn keys(&mut self, value: &Spanned<DeValue<'_>>) -> Vec<Key> {
        let Some(keys) = value.get_ref().as_array() else {
            self.mistake(
                value.span().start,
                "keys must be tables [[clients.NAME.keys]]",
            );
            return Vec::new();
        };
        keys.iter().filter_map(|key| self.key(key)).collect()
    }

    fn table<'t>(
        &mut self,
        value: &'t Spanned<DeValue<'t>>,
        what: &str,
    ) -> Option<&'t DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.mistake(value.span().start, format_args!("{what} must be a table"));
        }
        table
    }

    fn number(&mut self, value: &Spanned<DeValue<'_>>) -> Option<NonZeroU32> {
        let number = value.get_ref().as_integer();
        let number = number.and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
        let number = number.and_then(NonZeroU32::new);
        if number.is_none() {
            let what = "this must be a whole number of at least 1; leave it out for no limit";
            self.mistake(value.span().start, what);
        }
        number
    }
}
