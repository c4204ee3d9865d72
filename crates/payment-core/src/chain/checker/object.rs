//! One object as the checker takes it.

use uuid::Uuid;

use super::super::{Header, Node, ObjectHash};
use crate::object::read_header;
use crate::object_key::ObjectKey;

/// How a line begins that calls itself a header.
const START: &[u8] = b"{\"v\":3,";

/// An object of the journal as it was read, or found not to be readable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    pub key: ObjectKey,
    pub content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// It is there, and nobody knows what is in it.
    Unread,
    /// No bytes: a probe of a tier.
    Empty,
    NoHeader {
        sha256: ObjectHash,
    },
    /// The first line calls itself a header, and is none for this key.
    WrongHeader {
        sha256: ObjectHash,
    },
    Header {
        sha256: ObjectHash,
        header: Box<Header>,
    },
}

/// The name of a batch object under the prefix. Names sort as the keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Name {
    pub uuid: Uuid,
    pub node: Node,
}

impl Sighting {
    /// Reads the header of an object, and hashes the whole of it.
    pub fn of(key: &ObjectKey, body: &[u8]) -> Self {
        let content = if body.is_empty() {
            Content::Empty
        } else {
            read(key, body)
        };
        Self {
            key: key.clone(),
            content,
        }
    }

    pub fn unread(key: &ObjectKey) -> Self {
        Self {
            key: key.clone(),
            content: Content::Unread,
        }
    }

    pub fn sha256(&self) -> Option<ObjectHash> {
        match &self.content {
            Content::Unread | Content::Empty => None,
            Content::NoHeader { sha256 }
            | Content::WrongHeader { sha256 }
            | Content::Header { sha256, .. } => Some(*sha256),
        }
    }

    pub fn header(&self) -> Option<&Header> {
        match &self.content {
            Content::Header { header, .. } => Some(header),
            _ => None,
        }
    }
}

fn read(key: &ObjectKey, body: &[u8]) -> Content {
    let sha256 = ObjectHash::of(body);
    match read_header(key, body) {
        Some(header) => Content::Header {
            sha256,
            header: Box::new(header),
        },
        None if body.starts_with(START) => Content::WrongHeader { sha256 },
        None => Content::NoHeader { sha256 },
    }
}

impl Name {
    /// `None` for a key that no tier gives an object under this prefix.
    pub fn of(key: &ObjectKey, prefix: &str) -> Option<Self> {
        let (uuid, node) = key.batch_under(prefix)?;
        let node = Node::parse(node)?;
        Some(Self { uuid, node })
    }

    /// The key, under the prefix of all keys. `None` for a UUID that no tier makes.
    pub fn key(self, prefix: &str) -> Option<ObjectKey> {
        let at = ObjectKey::time_of(self.uuid)?;
        let node = self.node.to_string();
        Some(ObjectKey::batch(prefix, at, self.uuid, &node))
    }
}
