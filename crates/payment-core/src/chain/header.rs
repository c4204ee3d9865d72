//! The first line of a batch object, and what it says of other objects.

use serde::Deserialize;
use uuid::Uuid;

use super::ids::{Node, ObjectHash, Position, RunId};
use crate::hex;
use crate::object::LINE_BYTES_MAX;
use crate::object_key::ObjectKey;
use crate::timestamp::Timestamp;

/// Most objects that one header names, so that it stays a line.
pub const NAMES_MAX: usize = 1000;

/// The member `v` of a header. Records of payments are of version 1 or 2.
pub(crate) const VERSION: &str = "3";

/// Longest header without names, and what one name adds, in bytes: hashes, ids, and numbers of up to 20 digits.
const BYTES_MAX: usize = 200;
const LINK_BYTES_MAX: usize = 160;
const _: () = assert!(Header::BYTES_MAX <= LINE_BYTES_MAX);

/// How each header begins.
const START: &str = "{\"v\":3,\"run\":\"";

/// The first line of a batch object.
///
/// It names every object whose fate was settled when it was sealed, oldest first, but for what another header names
/// that S3 had confirmed by then. So in the end, headers that S3 confirmed name each earlier object, as confirmed or as
/// unconfirmed, and never as both; several may name it, and say the same. PUTs overtake each other: neither the keys nor
/// the fates of a run are in the order of its numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    pub run: RunId,
    /// The run's process, as the object's key names it.
    pub node: Node,
    /// Number of this object in its run, from 0 without gaps.
    pub seq: u64,
    /// When the object was sealed, by the node's clock: after its payments were received, before its PUT.
    pub clock: Timestamp,
    /// Earlier objects of the run that S3 confirmed; by number, ascending. At most [`NAMES_MAX`], with the next.
    pub confirmed: Vec<Link>,
    /// Earlier objects whose PUT got no confirmation, ascending: each may be stored or not.
    pub unconfirmed: Vec<Link>,
    /// The run ends with this object: each earlier object is named, and none follows.
    pub end: bool,
}

/// What a header says of an earlier object: which one it is, if it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    pub seq: u64,
    /// The UUID in the object's key, of version 7.
    pub key: Uuid,
    /// Covers the whole body, with its header.
    pub sha256: ObjectHash,
}

/// Why a line that calls itself a header is none. Says nothing of the line's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHeader {
    #[error("is not in the one form that headers have")]
    Form,
    #[error("names objects twice, out of order, or from its own number on")]
    Numbers,
    #[error("does not begin an object of its own node")]
    Misplaced,
}

impl Header {
    /// Size of the longest header, in bytes.
    pub const BYTES_MAX: usize = Self::bytes_max(NAMES_MAX);

    /// Where the object stands that this header begins.
    pub fn position(&self) -> Position {
        let Self { run, seq, .. } = *self;
        Position { run, seq }
    }

    /// Whether the line is to be read as a header, right or not.
    pub fn is_header(line: &[u8]) -> bool {
        line.starts_with(b"{\"v\":3,")
    }

    /// The header that begins an object of this node with this first line; `None` if it is none, or another node's.
    pub(crate) fn of(node: Node, line: &[u8]) -> Option<Self> {
        // Nearly every other first line is a payment, which is to be read once.
        let may_be = Self::is_header(line);
        let header = may_be.then(|| Self::parse(line).ok()).flatten()?;
        (header.node == node).then_some(header)
    }

    /// One line, with its newline. There is one way to write a header.
    pub fn to_line(&self) -> String {
        let Self {
            run,
            node,
            seq,
            clock,
            confirmed,
            unconfirmed,
            end,
        } = self;
        let names = confirmed.len() + unconfirmed.len();
        let mut line = String::with_capacity(Self::bytes_max(names));
        line.push_str(START);
        line.push_str(&run.to_string());
        line.push_str("\",\"node\":\"");
        line.push_str(&node.to_string());
        line.push_str("\",\"seq\":");
        line.push_str(&seq.to_string());
        line.push_str(",\"clock\":\"");
        clock.push_to(&mut line);
        line.push_str("\",\"confirmed\":[");
        push_links(confirmed, &mut line);
        line.push_str(",\"unconfirmed\":[");
        push_links(unconfirmed, &mut line);
        if *end {
            line.push_str(",\"end\":true");
        }
        line.push_str("}\n");
        line
    }

    /// Size of a header with so many names, in bytes, at the most.
    pub(super) const fn bytes_max(names: usize) -> usize {
        BYTES_MAX + LINK_BYTES_MAX * names
    }

    /// Whether it names the object under this key as confirmed, with this number of its run and this hash of its body.
    pub fn confirms(&self, key: &ObjectKey, position: Position, sha256: ObjectHash) -> bool {
        let link = self.link_to(key, position, sha256);
        self.run == position.run && link.is_some_and(|link| self.confirmed.contains(&link))
    }

    /// As this header would name an object of its own node.
    fn link_to(&self, key: &ObjectKey, position: Position, sha256: ObjectHash) -> Option<Link> {
        let (unique, node) = key.own_batch()?;
        let is_own = Node::parse(node) == Some(self.node);
        is_own.then_some(Link {
            seq: position.seq,
            key: unique,
            sha256,
        })
    }

    /// Reads what [`Header::to_line`] writes, with or without its newline, and nothing else: a header that another
    /// program wrote in other words is not this system's.
    pub fn parse(line: &[u8]) -> Result<Self, InvalidHeader> {
        let written: Written = serde_json::from_slice(line).map_err(|_| InvalidHeader::Form)?;
        let header = written.read().ok_or(InvalidHeader::Form)?;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        if header.to_line().trim_ascii_end().as_bytes() != line {
            return Err(InvalidHeader::Form);
        }
        if header.has_right_numbers() {
            Ok(header)
        } else {
            Err(InvalidHeader::Numbers)
        }
    }

    /// Whether it names each earlier object at most once, in order, and more objects can follow it.
    fn has_right_numbers(&self) -> bool {
        let Self {
            seq,
            confirmed,
            unconfirmed,
            ..
        } = self;
        let is_named = |link: &Link| unconfirmed.binary_search_by_key(&link.seq, |link| link.seq);
        *seq < u64::MAX
            && is_ascending(confirmed, *seq)
            && is_ascending(unconfirmed, *seq)
            && !confirmed.iter().any(|link| is_named(link).is_ok())
    }
}

/// Whether the numbers ascend, and stay below `end`.
fn is_ascending(links: &[Link], end: u64) -> bool {
    links.is_sorted_by(|one, next| one.seq < next.seq)
        && links.last().is_none_or(|last| last.seq < end)
}

/// The items of a list, and its end.
fn push_links(links: &[Link], line: &mut String) {
    for link in links {
        link.push_to(line);
    }
    if !links.is_empty() {
        line.pop();
    }
    line.push(']');
}

impl Link {
    /// The key of the object, under the prefix of all keys.
    pub fn object_key(&self, prefix: &str, node: Node) -> Option<ObjectKey> {
        let at = ObjectKey::time_of(self.key)?;
        Some(ObjectKey::batch(prefix, at, self.key, &node.to_string()))
    }

    fn push_to(&self, line: &mut String) {
        line.push_str("{\"seq\":");
        line.push_str(&self.seq.to_string());
        line.push_str(",\"key\":\"");
        line.push_str(&self.key.to_string());
        line.push_str("\",\"sha256\":\"");
        hex::push(self.sha256.as_bytes(), line);
        line.push_str("\"},");
    }
}

/// A header's members, unread. What they miss, such as their order, shows when the header is written again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    #[serde(rename = "v")]
    _version: u8,
    run: &'a str,
    node: &'a str,
    seq: u64,
    clock: &'a str,
    #[serde(borrow)]
    confirmed: Vec<WrittenLink<'a>>,
    #[serde(borrow)]
    unconfirmed: Vec<WrittenLink<'a>>,
    #[serde(default)]
    end: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLink<'a> {
    seq: u64,
    key: &'a str,
    sha256: &'a str,
}

impl Written<'_> {
    fn read(self) -> Option<Header> {
        Some(Header {
            run: RunId::parse(self.run)?,
            node: Node::parse(self.node)?,
            seq: self.seq,
            clock: Timestamp::parse(self.clock)?,
            confirmed: WrittenLink::read_all(&self.confirmed)?,
            unconfirmed: WrittenLink::read_all(&self.unconfirmed)?,
            end: self.end,
        })
    }
}

impl WrittenLink<'_> {
    fn read_all(links: &[Self]) -> Option<Vec<Link>> {
        links.iter().map(Self::read).collect()
    }

    fn read(&self) -> Option<Link> {
        let key = Uuid::try_parse(self.key).ok()?;
        ObjectKey::time_of(key)?;
        Some(Link {
            seq: self.seq,
            key,
            sha256: ObjectHash::parse(self.sha256)?,
        })
    }
}

#[cfg(test)]
mod tests;
