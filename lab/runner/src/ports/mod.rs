//! The port of each part, and who else uses one.

mod holder;

use std::{
    collections::BTreeMap,
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

pub use self::holder::Holder;
use crate::part_name::PartName;

/// Range of free ports: below the range that systems use for outgoing connections, so that a part finds its own port
/// free when it restarts.
const FREE: std::ops::Range<u16> = 15_000..32_000;

/// Offset from a part's usual port to its link's.
const LINK_OFFSET: u16 = 10_000;

/// Offset from a tier's usual port to that of its metrics.
const ADMIN_OFFSET: u16 = 100;

/// Attempts at finding a port for one part.
const TRIES: u32 = 1_000;

/// Parts that have a link, so that traffic to them can go through the relay.
pub const LINKED: [PartName; 6] = [
    PartName::Mysql,
    PartName::AppA,
    PartName::AppB,
    PartName::Ilb,
    PartName::WebA,
    PartName::WebB,
];

/// Parts with `/metrics` and `/ready`.
pub const TIERS: [PartName; 4] = [
    PartName::AppA,
    PartName::AppB,
    PartName::WebA,
    PartName::WebB,
];

/// One port for each part and link, all on loopback.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ports {
    parts: BTreeMap<PartName, u16>,
    /// Ports on which the relay listens for each part.
    links: BTreeMap<PartName, u16>,
    /// Ports of the tiers' metrics; 0, for any, in a lab created before there were any.
    #[serde(default)]
    admin: BTreeMap<PartName, u16>,
}

impl Default for Ports {
    fn default() -> Self {
        let usual = |part| match part {
            PartName::Mysql => 3307,
            PartName::S3 => 9000,
            PartName::Sqs => 9002,
            PartName::Lambda => 9001,
            PartName::Relay => 9003,
            PartName::Control => 9004,
            PartName::AppA => 3011,
            PartName::AppB => 3012,
            PartName::Ilb => 8081,
            PartName::WebA => 3001,
            PartName::WebB => 3002,
            PartName::Alb => 8080,
            PartName::Console => 8088,
        };
        let parts = PartName::ALL.iter().map(|&part| (part, usual(part)));
        Self {
            links: LINKED
                .into_iter()
                .map(|part| (part, usual(part) + LINK_OFFSET))
                .collect(),
            admin: TIERS
                .into_iter()
                .map(|part| (part, usual(part) + ADMIN_OFFSET))
                .collect(),
            parts: parts.collect(),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no free port found between {} and {}", FREE.start, FREE.end)]
pub struct NoFreePort(#[source] io::Error);

impl Ports {
    /// Chooses ports that are free now, next to each other: of two labs that start at one time, each with ports of its own
    /// at random, every thirtieth pair would share one.
    pub fn free() -> Result<Self, NoFreePort> {
        let count = PartName::ALL.len() + LINKED.len() + TIERS.len();
        let mut ports = free_block(count)?.into_iter();
        let mut take = |part: PartName| Some((part, ports.next()?));
        Ok(Self {
            parts: PartName::ALL
                .iter()
                .filter_map(|&part| take(part))
                .collect(),
            links: LINKED.into_iter().filter_map(&mut take).collect(),
            admin: TIERS.into_iter().filter_map(&mut take).collect(),
        })
    }

    pub fn address(&self, part: PartName) -> SocketAddr {
        loopback(self.parts.get(&part))
    }

    /// Address on which the relay listens for a part of [`LINKED`].
    pub fn link(&self, part: PartName) -> SocketAddr {
        loopback(self.links.get(&part))
    }

    /// Address of the metrics of a tier of [`TIERS`].
    pub fn admin(&self, part: PartName) -> SocketAddr {
        loopback(self.admin.get(&part))
    }

    /// Returns those of `parts` whose port is in use.
    pub fn taken(&self, parts: &[PartName]) -> Vec<Taken> {
        let mut taken = Vec::new();
        for &part in parts {
            let address = self.address(part);
            if let Err(error) = TcpListener::bind(address) {
                taken.push(Taken {
                    part,
                    address,
                    holder: Holder::of(address.port()),
                    error,
                });
            }
        }
        taken
    }
}

/// Returns the address of a port; 0 if a part has none.
fn loopback(port: Option<&u16>) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port.copied().unwrap_or(0)))
}

/// So many free ports, at a multiple of their number.
fn free_block(count: usize) -> Result<Vec<u16>, NoFreePort> {
    let mut tries = 0;
    loop {
        let block = rand::rng().random_range(0..FREE.len() / count);
        let ports: Vec<u16> = FREE.skip(block * count).take(count).collect();
        let bind = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port));
        match ports.iter().map(bind).collect::<Result<Vec<_>, _>>() {
            Ok(_) => return Ok(ports),
            Err(error) if tries >= TRIES => return Err(NoFreePort(error)),
            Err(_) => tries += 1,
        }
    }
}

/// Listens on a free port, which is free again when the listener is dropped.
pub fn free_listener() -> Result<TcpListener, NoFreePort> {
    let mut tries = 0;
    loop {
        let port = rand::rng().random_range(FREE);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return Ok(listener),
            Err(error) if tries >= TRIES => return Err(NoFreePort(error)),
            Err(_) => tries += 1,
        }
    }
}

/// Returns an address whose port is free now.
pub fn free_address() -> Result<SocketAddr, NoFreePort> {
    free_listener()?.local_addr().map_err(NoFreePort)
}

/// A port that is in use.
#[derive(Debug)]
pub struct Taken {
    pub part: PartName,
    pub address: SocketAddr,
    pub holder: Option<Holder>,
    pub error: io::Error,
}

impl fmt::Display for Taken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} needs {}", self.part, self.address)?;
        if self.error.kind() != io::ErrorKind::AddrInUse {
            return write!(formatter, ": {}", self.error);
        }
        match &self.holder {
            Some(holder) => write!(
                formatter,
                ", which {} (pid {}) holds",
                holder.name, holder.pid
            ),
            None => write!(formatter, ", which another process holds"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_and_every_link_gets_another_port() {
        for ports in [Ports::default(), Ports::free().unwrap()] {
            let parts = PartName::ALL.iter().map(|&part| ports.address(part));
            let links = LINKED.into_iter().map(|part| ports.link(part));
            let admin = TIERS.into_iter().map(|part| ports.admin(part));
            let mut addresses: Vec<_> = parts.chain(links).chain(admin).collect();
            addresses.sort();
            addresses.dedup();
            assert_eq!(
                addresses.len(),
                PartName::ALL.len() + LINKED.len() + TIERS.len()
            );
        }
    }

    #[test]
    fn a_taken_port_is_named_with_its_holder() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut ports = Ports::free().unwrap();
        let port = other.local_addr().unwrap().port();
        ports.parts.insert(PartName::S3, port);
        let taken = ports.taken(PartName::ALL);
        assert_eq!(taken.len(), 1);
        let text = taken[0].to_string();
        let this = format!("(pid {})", std::process::id());
        assert!(text.starts_with("s3 needs 127.0.0.1:"), "{text}");
        assert!(text.contains(&this), "{text}");
    }
}
