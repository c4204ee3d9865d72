//! What names a run, a process, an object's place and its body.

use std::fmt;

use sha2::{Digest as _, Sha256};
use uuid::{Uuid, Version};

use crate::hex;

/// Where an object stands in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    pub run: RunId,
    pub seq: u64,
}

/// One life of a process: a UUID of version 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId(Uuid);

/// The name of a process in the keys of its objects: 8 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node(u32);

/// SHA-256 of an object's whole body, as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectHash([u8; 32]);

impl RunId {
    pub fn new(unique: Uuid) -> Option<Self> {
        (unique.get_version() == Some(Version::SortRand)).then_some(Self(unique))
    }

    /// As it is written: hyphenated, in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let run = Self::new(Uuid::try_parse(text).ok()?)?;
        (run.to_string() == text).then_some(run)
    }

    pub fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl Node {
    pub fn new(number: u32) -> Self {
        Self(number)
    }

    /// 8 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let node = Self(u32::from_str_radix(text, 16).ok()?);
        (node.to_string() == text).then_some(node)
    }
}

impl ObjectHash {
    /// The hash of a body that is in memory.
    pub fn of(body: &[u8]) -> Self {
        Self(Sha256::digest(body).into())
    }

    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// 64 hexadecimal digits in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        hex::parse(text).map(Self)
    }
}

impl From<Sha256> for ObjectHash {
    fn from(hash: Sha256) -> Self {
        Self(hash.finalize().into())
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for ObjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(64);
        hex::push(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for ObjectHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectHash({self})")
    }
}
