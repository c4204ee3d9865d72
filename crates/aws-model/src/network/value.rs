//! Values that can't be wrong once they are there.

use std::{fmt, net::Ipv4Addr, str::FromStr};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

/// What a thing is called on AWS: 1 to 64 printable characters of ASCII without quotes, so that it stands unharmed in a
/// command, a comment or a table.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize, Serialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let fits = |c: char| c == ' ' || (c.is_ascii_graphic() && !"\"'`|\\$".contains(c));
        let is_trimmed = text.trim() == text;
        if (1..=64).contains(&text.len()) && is_trimmed && text.chars().all(fits) {
            Ok(Self(text))
        } else {
            Err(format!(
                "{text:?} is no name: 1 to 64 printable ASCII characters without quotes are expected"
            ))
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

/// A range of IPv4 addresses, written from its first one: `10.0.1.0/24`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "String")]
pub struct Cidr(Ipv4Net);

impl Cidr {
    pub fn contains(self, address: Ipv4Addr) -> bool {
        self.0.contains(&address)
    }

    /// Whether all of `other` lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.0.contains(&other.0)
    }

    /// Whether the two have addresses in common.
    pub fn overlaps(self, other: Self) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// The number of leading bits that all its addresses share.
    pub fn prefix_len(self) -> u8 {
        self.0.prefix_len()
    }

    pub fn network(self) -> Ipv4Addr {
        self.0.network()
    }

    /// The address that the VPC keeps for a subnet's router: the first after the network's own.
    pub fn router(self) -> Ipv4Addr {
        self.0.hosts().next().unwrap_or(self.0.network())
    }

    /// Whether a host may have this address: AWS keeps the first four and the last of a subnet.
    pub fn is_for_hosts(self, address: Ipv4Addr) -> bool {
        let first = u32::from(self.0.network()).saturating_add(4);
        (first..u32::from(self.0.broadcast())).contains(&u32::from(address))
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let network = Ipv4Net::from_str(&text)
            .map_err(|_| format!("{text:?} is no CIDR, such as 10.0.1.0/24"))?;
        if network.trunc() == network {
            Ok(Self(network))
        } else {
            Err(format!(
                "{text:?} is no CIDR: it starts at {}",
                network.trunc()
            ))
        }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One port or a range of them: `3000`, or `"1024-65535"`. Never empty.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize)]
#[serde(try_from = "PortsText")]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// Where the way back leads to on AWS: load balancers, NAT gateways and functions use all of these.
    pub const EPHEMERAL: Self = Self {
        first: 1024,
        last: 65_535,
    };
    /// Ports from which Linux connects as it is delivered.
    pub const EPHEMERAL_LINUX: Self = Self {
        first: 32_768,
        last: 60_999,
    };

    pub fn first(self) -> u16 {
        self.first
    }

    pub fn last(self) -> u16 {
        self.last
    }

    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    pub(crate) fn is_one(self) -> bool {
        self.first == self.last
    }

    /// The part that both have.
    pub(crate) fn and(self, other: Self) -> Option<Self> {
        Self::between(self.first.max(other.first), self.last.min(other.last))
    }

    /// What is left of it without `other`.
    pub(crate) fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let Some(common) = self.and(other) else {
            return [Some(self), None].into_iter().flatten();
        };
        let before = common.first.checked_sub(1);
        let after = common.last.checked_add(1);
        let before = before.and_then(|last| Self::between(self.first, last));
        let after = after.and_then(|first| Self::between(first, self.last));
        [before, after].into_iter().flatten()
    }

    fn between(first: u16, last: u16) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }
}

impl From<u16> for Ports {
    fn from(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "a port, or a range such as \"1024-65535\"")]
enum PortsText {
    One(u16),
    Range(String),
}

impl TryFrom<PortsText> for Ports {
    type Error = String;

    fn try_from(text: PortsText) -> Result<Self, String> {
        let text = match text {
            PortsText::One(port) => return Ok(Self::from(port)),
            PortsText::Range(text) => text,
        };
        text.split_once('-')
            .and_then(|(first, last)| Self::between(first.parse().ok()?, last.parse().ok()?))
            .ok_or_else(|| format!("{text:?} is no range of ports, such as \"1024-65535\""))
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_one() {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// Transport protocol of a rule.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    Tcp,
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// An availability zone by its last letter.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Deserialize)]
#[serde(try_from = "char")]
pub struct Zone(char);

impl TryFrom<char> for Zone {
    type Error = String;

    fn try_from(letter: char) -> Result<Self, String> {
        if letter.is_ascii_lowercase() {
            Ok(Self(letter))
        } else {
            Err(format!(
                "{letter:?} is no zone: a letter from a to z is expected"
            ))
        }
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Self::try_from(letter),
            _ => Err(format!(
                "{text:?} is no zone: a letter from a to z is expected"
            )),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
