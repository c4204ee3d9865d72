//! The network's rules for nftables: one file per namespace.
//!
//! A host's security group is on its own interface and tracks connections, so that answers need no rule. The router
//! applies the ACLs and tracks nothing, so both directions need an entry.

use std::fmt::Write as _;

use aws_model::network::{
    Acl, AclEntry, Action, Direction, Group, GroupRule, Host, Network, Peer, Ports, Protocol,
};

/// Interface of every host.
pub const INTERFACE: &str = "eth0";
/// The router's interface to the outside.
pub const INTERNET: &str = "internet";
pub const S3: &str = "s3";
/// Set of connections from the internet that no ACL blocked, for [`crate::reach`].
pub const ADMITTED: &str = "admitted";

/// Name of the router's interface for a subnet.
pub fn bridge(network: &Network, subnet: &aws_model::network::Name) -> Option<String> {
    let at = network
        .subnets
        .iter()
        .position(|other| other.name == *subnet)?;
    Some(format!("subnet{at}"))
}

/// Returns the rules of a host's security group, for its interface.
pub fn of_host(network: &Network, group: &Group) -> String {
    let chain = |direction: Direction, hook: &str, own: &str| {
        let rules = group.rules(direction).iter();
        let rules: String = rules
            .filter(|rule| network.is_there(rule.only))
            .map(|rule| group_rule(network, direction, rule))
            .collect();
        format!(
            "\tchain {direction} {{
\t\ttype filter hook {hook} priority filter; policy drop;
\t\t{own} \"lo\" accept
\t\tct state established,related accept
{rules}\t}}
"
        )
    };
    format!(
        "# {}\ntable inet group {{\n{}{}}}\n",
        group.name,
        chain(Direction::Inbound, "input", "iif"),
        chain(Direction::Outbound, "output", "oif")
    )
}

fn group_rule(network: &Network, direction: Direction, rule: &GroupRule) -> String {
    let side = match direction {
        Direction::Inbound => "saddr",
        Direction::Outbound => "daddr",
    };
    let peers = addresses(network, &rule.peer);
    if peers.is_empty() {
        return String::new();
    }
    format!(
        "\t\tct state new ip {side} {{ {} }} {} accept comment \"{}\"\n",
        peers.join(", "),
        ports(rule.protocol, rule.ports),
        rule.peer
    )
}

/// Formats addresses for nftables.
fn addresses(network: &Network, peer: &Peer) -> Vec<String> {
    match peer {
        Peer::Group(name) => network
            .members(name)
            .map(|host| host.address.to_string())
            .collect(),
        _ => network
            .cidrs(peer)
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}

fn ports(protocol: Protocol, ports: Ports) -> String {
    format!("{protocol} dport {ports}")
}

/// Returns the ACLs of all subnets, and the internet gateway's rules.
pub fn of_router(network: &Network) -> String {
    let mut text = "table ip acl {\n".to_owned();
    for acl in &network.acls {
        for direction in [Direction::Inbound, Direction::Outbound] {
            acl_chain(network, acl, direction, &mut text);
        }
    }
    // Writing to a string can't fail.
    let _ = write!(
        text,
        "\tset {ADMITTED} {{
\t\ttype ipv4_addr . ipv4_addr . inet_service
\t\tflags dynamic
\t\tsize 4096
\t}}
\tchain stateless {{
\t\ttype filter hook prerouting priority raw; policy accept;
\t\tnotrack
\t}}
\tchain forward {{
\t\ttype filter hook forward priority filter; policy drop;
{jumps}\t\tiifname \"{INTERNET}\" tcp flags & (syn | ack) == syn add @{ADMITTED} {{ ip saddr . ip daddr . tcp dport }}
\t\tiifname \"{INTERNET}\" ip daddr != {{ {public} }} drop comment \"no public address\"
\t\toifname \"{INTERNET}\" ip saddr != {{ {public} }} drop comment \"no public address\"
\t\taccept
\t}}
}}
",
        jumps = jumps(network),
        public = public(network).join(", ")
    );
    text
}

fn jumps(network: &Network) -> String {
    let of = |direction: Direction, side: &str| -> String {
        let subnets = network.subnets.iter();
        subnets
            .filter_map(|subnet| {
                let (bridge, acl) = (bridge(network, &subnet.name)?, network.acl(&subnet.acl)?);
                let chain = chain_name(acl, direction);
                Some(format!(
                    "\t\t{side} \"{bridge}\" jump {chain} comment \"{}\"\n",
                    subnet.name
                ))
            })
            .collect()
    };
    // First out of the one subnet, then into the other.
    of(Direction::Outbound, "iifname") + of(Direction::Inbound, "oifname").as_str()
}

/// Returns the addresses known to the internet: public hosts, and the NAT gateway.
fn public(network: &Network) -> Vec<String> {
    let hosts = network.tiers.iter().filter(|tier| tier.is_public);
    let hosts = hosts.flat_map(|tier| &tier.hosts).map(|host| host.address);
    let nat = network.nat_is_on.then_some(network.nat.address);
    hosts
        .chain(nat)
        .map(|address| address.to_string())
        .collect()
}

fn acl_chain(network: &Network, acl: &Acl, direction: Direction, text: &mut String) {
    // Writing to a string can't fail.
    let _ = writeln!(text, "\tchain {} {{", chain_name(acl, direction));
    let entries = acl.entries(direction).iter();
    for entry in entries.filter(|entry| network.is_there(entry.only)) {
        text.push_str(&acl_entry(direction, entry));
    }
    text.push_str("\t\tdrop comment \"*\"\n\t}\n");
}

/// Allowed means a return to the caller, where the next ACL is applied.
fn acl_entry(direction: Direction, entry: &AclEntry) -> String {
    let side = match direction {
        Direction::Inbound => "saddr",
        Direction::Outbound => "daddr",
    };
    let verdict = match entry.action {
        Action::Allow => "return",
        Action::Deny => "drop",
    };
    format!(
        "\t\tip {side} {} {} {verdict} comment \"{}\"\n",
        entry.cidr,
        ports(entry.protocol, entry.ports),
        entry.number
    )
}

fn chain_name(acl: &Acl, direction: Direction) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = acl.name.as_str().chars().map(word).collect();
    format!("acl_{name}_{direction}")
}

/// S3's traffic arrives on its own port of the network, and is served on loopback as in every lab.
pub fn of_s3(port: u16, served_on: u16) -> String {
    format!(
        "table ip s3 {{
\tchain arrive {{
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t\tiifname \"{INTERFACE}\" tcp dport {port} dnat to 127.0.0.1:{served_on}
\t}}
\tchain inbound {{
\t\ttype filter hook input priority filter; policy drop;
\t\tiif \"lo\" accept
\t\tct state established,related accept
\t\tct status dnat accept
\t}}
}}
"
    )
}

/// The NAT gateway: outgoing connections use its address.
pub fn of_nat(network: &Network) -> String {
    format!(
        "table ip nat {{
\tchain leave {{
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip saddr {vpc} ip daddr != {vpc} snat to {address}
\t}}
\tchain forward {{
\t\ttype filter hook forward priority filter; policy drop;
\t\tct state established,related accept
\t\tip saddr {vpc} ip daddr != {vpc} accept
\t}}
}}
",
        vpc = network.vpc.cidr,
        address = network.nat.address
    )
}

/// Returns the security group of a host of the VPC.
pub fn group_of<'a>(network: &'a Network, host: &Host) -> Option<&'a Group> {
    network.group(network.tier(&host.tier)?.group.as_ref()?)
}
