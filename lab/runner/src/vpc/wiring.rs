//! Namespaces, links, addresses and routes: created in the order of this file, removed by their names.
//!
//! Every host has one link to the router, where the links of a subnet share a bridge: within a subnet no ACL applies,
//! as on AWS. The router knows from which subnet a packet comes, and uses only that subnet's table.

use std::{fmt::Write as _, net::Ipv4Addr, process::Command};

use anyhow::Result;
use aws_model::network::{Host, Subnet};

use super::{
    NAT, ROUTER, Vpc, leftovers, routes,
    rules::{self, INTERFACE, INTERNET, S3, bridge},
    tools::run,
};
use crate::{install, output, part_name::PartName, state::LabDir};

/// The router's addresses on the links to the outside: no host needs to know them.
const TO_INTERNET: &str = "169.254.1.1";
const TO_S3: &str = "169.254.1.2";

/// Creates the whole network, in which S3 listens on that port; removes an existing one first.
pub fn make(vpc: &Vpc, s3_port: u16) -> Result<()> {
    remove(&vpc.dir)?;
    for namespace in vpc.namespaces() {
        vpc.add(&namespace)?;
        vpc.ip(&["-n", &namespace, "link", "set", "lo", "up"], "")?;
    }
    let router = vpc.namespace(ROUTER);
    vpc.load(&router, ROUTER, &rules::of_router(&vpc.network))?;
    vpc.set(
        &router,
        &[
            "net.ipv4.ip_forward=1",
            "net.ipv4.conf.all.rp_filter=0",
            "net.ipv4.conf.default.rp_filter=0",
        ],
    )?;
    vpc.batch(&router, &bridges(vpc))?;
    for host in vpc.network.hosts() {
        match host
            .subnet
            .as_ref()
            .and_then(|name| vpc.network.subnet(name))
        {
            Some(subnet) => inside(vpc, host, subnet)?,
            None => outside(vpc, host, s3_port)?,
        }
    }
    if vpc.network.nat_is_on {
        nat(vpc)?;
    }
    vpc.batch(&router, &routes::of_router(vpc))
}

/// Removes what exists of a lab's network, even if it was killed. Its links and rules go with it.
pub fn remove(dir: &LabDir) -> Result<()> {
    let names = leftovers(dir);
    let Some(ip) = install::find("ip").filter(|_| !names.is_empty()) else {
        return Ok(());
    };
    for name in names {
        run(Command::new(&ip).args(["netns", "del", &name]), "")?;
    }
    Ok(())
}

/// Removes it too, and prints a warning instead of returning an error.
pub fn remove_or_warn(dir: &LabDir) {
    if let Err(error) = remove(dir) {
        output::error(error.as_ref());
    }
}

fn bridges(vpc: &Vpc) -> String {
    let mut batch = String::new();
    for subnet in &vpc.network.subnets {
        let Some(bridge) = bridge(&vpc.network, &subnet.name) else {
            continue;
        };
        let (router, length) = (subnet.cidr.router(), subnet.cidr.prefix_len());
        // Writing to a string can't fail.
        let _ = write!(
            batch,
            "link add {bridge} type bridge forward_delay 0
addr add {router}/{length} dev {bridge}
link set {bridge} up
"
        );
    }
    batch
}

/// Creates a host of a subnet, with its security group.
fn inside(vpc: &Vpc, host: &Host, subnet: &Subnet) -> Result<()> {
    let namespace = vpc.namespace(host.name.as_str());
    // Rules first, so that it is never without them.
    if let Some(group) = rules::group_of(&vpc.network, host) {
        let rules = rules::of_host(&vpc.network, group);
        vpc.load(&namespace, host.name.as_str(), &rules)?;
    }
    plug(vpc, host.name.as_str(), subnet, host.address)
}

/// Links a namespace to the bridge of a subnet.
fn plug(vpc: &Vpc, name: &str, subnet: &Subnet, address: Ipv4Addr) -> Result<()> {
    let namespace = vpc.namespace(name);
    let bridge = bridge(&vpc.network, &subnet.name).unwrap_or_default();
    vpc.batch(
        &vpc.namespace(ROUTER),
        &format!(
            "link add {name} type veth peer name {INTERFACE} netns {namespace}
link set {name} master {bridge} up
"
        ),
    )?;
    let (router, length) = (subnet.cidr.router(), subnet.cidr.prefix_len());
    vpc.batch(
        &namespace,
        &format!(
            "addr add {address}/{length} dev {INTERFACE}
link set {INTERFACE} up
route add default via {router}
"
        ),
    )
}

/// Creates the internet and S3, each a link of the router.
fn outside(vpc: &Vpc, host: &Host, s3_port: u16) -> Result<()> {
    let (name, address) = (host.name.as_str(), host.address);
    let namespace = vpc.namespace(name);
    let is_s3 = super::hosts_of(PartName::S3).contains(&name);
    let (interface, router) = if is_s3 {
        (S3, TO_S3)
    } else {
        (INTERNET, TO_INTERNET)
    };
    vpc.batch(
        &vpc.namespace(ROUTER),
        &format!(
            "link add {interface} type veth peer name {INTERFACE} netns {namespace}
addr add {router} peer {address} dev {interface}
link set {interface} up
"
        ),
    )?;
    vpc.batch(
        &namespace,
        &format!(
            "addr add {address} peer {router} dev {INTERFACE}
link set {INTERFACE} up
route add default via {router}
"
        ),
    )?;
    if is_s3 {
        let port = vpc
            .address(PartName::S3)
            .map_or(443, |address| address.port());
        let rules = rules::of_s3(port, s3_port);
        vpc.set(&namespace, &["net.ipv4.conf.eth0.route_localnet=1"])?;
        vpc.load(&namespace, name, &rules)?;
    }
    Ok(())
}

fn nat(vpc: &Vpc) -> Result<()> {
    let namespace = vpc.namespace(NAT);
    let nat = &vpc.network.nat;
    vpc.load(&namespace, NAT, &rules::of_nat(&vpc.network))?;
    vpc.set(&namespace, &["net.ipv4.ip_forward=1"])?;
    match vpc.network.subnet(&nat.subnet) {
        Some(subnet) => plug(vpc, NAT, subnet, nat.address),
        None => Ok(()),
    }
}
