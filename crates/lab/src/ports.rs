//! Which port belongs to which part, and who else holds one.

mod holder;

use std::{
    fmt, io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

pub use self::holder::Holder;
use crate::part::PartName;

/// Free ports are sought here: below the range from which systems take the local
/// port of an outgoing connection, so that a part finds its own free when it restarts.
const FREE: std::ops::Range<u16> = 15_000..32_000;

/// How many are tried for one part before giving up.
const TRIES: u32 = 1_000;

/// One port a part, all on loopback.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Ports {
    pub mysql: u16,
    pub s3: u16,
    pub lambda: u16,
    pub app_a: u16,
    pub app_b: u16,
    pub ilb: u16,
    pub web_a: u16,
    pub web_b: u16,
    pub alb: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self {
            mysql: 3307,
            s3: 9000,
            lambda: 9001,
            app_a: 3011,
            app_b: 3012,
            ilb: 8081,
            web_a: 3001,
            web_b: 3002,
            alb: 8080,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("no free port found between {} and {}", FREE.start, FREE.end)]
pub struct NoFreePort(#[source] io::Error);

impl Ports {
    /// Ports that nobody listens on now.
    pub fn free() -> Result<Self, NoFreePort> {
        // All held until the last is found, so that none is found twice.
        let mut held = Vec::new();
        let mut take = || {
            let listener = free_listener()?;
            let port = listener.local_addr().map_err(NoFreePort)?.port();
            held.push(listener);
            Ok(port)
        };
        Ok(Self {
            mysql: take()?,
            s3: take()?,
            lambda: take()?,
            app_a: take()?,
            app_b: take()?,
            ilb: take()?,
            web_a: take()?,
            web_b: take()?,
            alb: take()?,
        })
    }

    pub fn address(&self, part: PartName) -> SocketAddr {
        let number = match part {
            PartName::Mysql => self.mysql,
            PartName::S3 => self.s3,
            PartName::Lambda => self.lambda,
            PartName::AppA => self.app_a,
            PartName::AppB => self.app_b,
            PartName::Ilb => self.ilb,
            PartName::WebA => self.web_a,
            PartName::WebB => self.web_b,
            PartName::Alb => self.alb,
        };
        SocketAddr::from((Ipv4Addr::LOCALHOST, number))
    }

    /// Those of `parts` whose port is taken.
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

/// A port that nobody listens on now. It is free again once the answer is dropped.
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

/// A port that a part can't have.
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
    fn every_part_gets_another_port() {
        for ports in [Ports::default(), Ports::free().unwrap()] {
            let mut addresses: Vec<_> = PartName::ALL
                .iter()
                .map(|&part| ports.address(part))
                .collect();
            addresses.sort();
            addresses.dedup();
            assert_eq!(addresses.len(), PartName::ALL.len());
        }
    }

    #[test]
    fn a_taken_port_is_named_with_its_holder() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let ports = Ports {
            s3: other.local_addr().unwrap().port(),
            ..Ports::free().unwrap()
        };
        let taken = ports.taken(PartName::ALL);
        assert_eq!(taken.len(), 1);
        let text = taken[0].to_string();
        let this = format!("(pid {})", std::process::id());
        assert!(text.starts_with("s3 needs 127.0.0.1:"), "{text}");
        assert!(text.contains(&this), "{text}");
    }
}
