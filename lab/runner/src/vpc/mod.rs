//! The VPC on one machine: one namespace per host, with the rules of `deploy-notes/network.toml`.
//!
//! - [`rules`]: security groups, ACLs and gateways as nftables rules, one file per namespace.
//! - [`wiring`]: creates and removes namespaces, links and addresses; [`routes`] between them.
//! - [`hosts_of`]: the host of each part.
//! - [`doorway`]: sockets inside a namespace, for this process.
//! - [`enter`]: a program inside a namespace.
//! - [`user`]: all of it without root.
//!
//! The machine's own network is not changed: all links are between namespaces, whose names derive from the lab's
//! directory. `ip` and `nft` do the work, with input that can be read, and repeated by hand. People, and AWS services
//! outside the VPC, come in through [`crate::control`]. [`crate::reach`] tests who reaches whom.

pub mod doorway;
pub mod enter;
mod hosts;
mod routes;
pub mod rules;
mod tools;
pub mod user;
pub mod wiring;

use std::{
    collections::hash_map::DefaultHasher,
    fs,
    hash::{Hash as _, Hasher as _},
    net::SocketAddrV4,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, Result, bail, ensure};
use aws_model::network::{Host, Network};
use nix::{
    sched::{CloneFlags, unshare},
    unistd::Uid,
};

pub use self::hosts::{home_of, hosts_of};
use crate::{
    files,
    install::NetworkTools,
    part_name::PartName,
    state::{LabDir, vpc::Settings},
};

/// Host name of the internal load balancer: as on AWS, it resolves to every node.
pub const INTERNAL_ALB: &str = "internal-alb";
pub const DATABASE: &str = "payment-db";

/// Namespaces that are not hosts of the network.
const ROUTER: &str = "router";
const NAT: &str = "nat";

/// The network of one lab.
#[derive(Clone, Debug)]
pub struct Vpc {
    pub network: Network,
    pub path: PathBuf,
    pub tools: NetworkTools,
    pub rootless: bool,
    dir: LabDir,
}

impl Vpc {
    pub fn of(settings: &Settings, dir: &LabDir) -> Result<Self> {
        let mut network = read(&settings.network)?;
        network.nat_is_on = settings.nat;
        let vpc = Self {
            network,
            path: settings.network.clone(),
            tools: settings.tools.clone(),
            rootless: settings.rootless,
            dir: dir.clone(),
        };
        vpc.check()?;
        Ok(vpc)
    }

    fn check(&self) -> Result<()> {
        let path = self.path.display();
        for &part in PartName::ALL {
            for host in hosts_of(part) {
                ensure!(
                    self.network.host(host).is_some(),
                    "{path}: there is no host {host}, on which the part {part} runs"
                );
            }
        }
        let fits = |host: &&Host| {
            let name = host.name.as_str();
            let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
            name.len() <= 15 && name.chars().all(fits)
        };
        match self.network.hosts().find(|host| !fits(host)) {
            Some(host) => bail!(
                "{path}: the host name {} does not fit an interface: up to 15 letters, digits and -",
                host.name
            ),
            None => Ok(()),
        }
    }

    /// Returns the namespace of a host, or of another item that has one.
    pub fn namespace(&self, host: &str) -> String {
        format!("{}{host}", prefix(&self.dir))
    }

    /// Returns the namespaces, the router's first.
    pub fn namespaces(&self) -> Vec<String> {
        let hosts = self.network.hosts().map(|host| host.name.as_str());
        let nat = self.network.nat_is_on.then_some(NAT);
        [ROUTER]
            .into_iter()
            .chain(hosts)
            .chain([PartName::Sqs.as_str()])
            .chain(nat)
            .map(|name| self.namespace(name))
            .collect()
    }

    /// Address at which others in the VPC reach a part.
    pub fn address(&self, part: PartName) -> Option<SocketAddrV4> {
        let host = hosts_of(part).first()?;
        let host = self.network.host(host)?;
        let port = self.network.tier(&host.tier)?.port?;
        Some(SocketAddrV4::new(host.address, port))
    }
}

/// Checks whether a VPC can be created here. Without root it needs a user namespace.
pub fn is_possible() -> Result<()> {
    if !Uid::effective().is_root() {
        return user::is_possible();
    }
    // In a thread of its own, which ends with the namespace that it created.
    let made = thread::spawn(|| unshare(CloneFlags::CLONE_NEWNET)).join();
    made.unwrap_or(Ok(()))
        .context("this machine cannot create network namespaces, which --vpc needs; leave it out")
}

/// Reads a network file.
pub fn read(path: &Path) -> Result<Network> {
    let text = files::read(path)?;
    Network::parse(&String::from_utf8_lossy(&text)).with_context(|| path.display().to_string())
}

/// Prefix of the names of a lab's namespaces: the same at every start in its directory.
fn prefix(dir: &LabDir) -> String {
    let mut hasher = DefaultHasher::new();
    dir.root().hash(&mut hasher);
    format!("lab-{:08x}-", hasher.finish() >> 32)
}

/// Returns the existing namespaces, including those of a lab that was killed.
fn leftovers(dir: &LabDir) -> Vec<String> {
    let prefix = prefix(dir);
    let entries = fs::read_dir(doorway::NAMESPACES).into_iter().flatten();
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&prefix))
        .collect()
}

#[cfg(test)]
mod tests;
