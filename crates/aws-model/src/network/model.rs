//! The network, in AWS's terms. All references hold: what a member names is there.

use std::{fmt, net::Ipv4Addr};

use serde::Deserialize;

use crate::network::value::{Cidr, Name, Ports, Protocol, Zone};

/// All of it. Made by [`Network::parse`].
#[derive(Clone, Debug)]
pub struct Network {
    pub region: Name,
    pub vpc: Vpc,
    pub subnets: Vec<Subnet>,
    pub prefix_lists: Vec<PrefixList>,
    pub route_tables: Vec<RouteTable>,
    pub groups: Vec<Group>,
    pub acls: Vec<Acl>,
    /// Tiers in the order of the table.
    pub tiers: Vec<Tier>,
    /// What must be reachable, and nothing else.
    pub flows: Vec<Flow>,
    pub nat: Nat,
    /// Whether the NAT gateway is there now: off as the text is read.
    pub nat_is_on: bool,
}

/// The VPC itself.
#[derive(Clone, Debug)]
pub struct Vpc {
    pub name: Name,
    pub cidr: Cidr,
}

/// A subnet, in one zone.
#[derive(Clone, Debug)]
pub struct Subnet {
    pub name: Name,
    pub cidr: Cidr,
    pub zone: Zone,
    pub route_table: Name,
    pub acl: Name,
}

/// Ranges that AWS keeps under a name.
#[derive(Clone, Debug)]
pub struct PrefixList {
    pub name: Name,
    pub cidrs: Vec<Cidr>,
}

/// Routes of some subnets. Every table also has the route of the VPC itself.
#[derive(Clone, Debug)]
pub struct RouteTable {
    pub name: Name,
    pub routes: Vec<Route>,
}

/// A route to some addresses.
#[derive(Clone, Debug)]
pub struct Route {
    /// [`Peer::Cidr`] or [`Peer::PrefixList`].
    pub to: Peer,
    pub via: RouteTarget,
    pub only: RuleLifetime,
}

/// What a route leads to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RouteTarget {
    InternetGateway,
    S3GatewayEndpoint,
    NatGateway,
}

/// Location of the NAT gateway, while there is one.
#[derive(Clone, Debug)]
pub struct Nat {
    pub subnet: Name,
    pub address: Ipv4Addr,
}

/// When a rule is there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RuleLifetime {
    #[default]
    Always,
    /// While the NAT gateway is.
    Nat,
}

/// A security group. Stateful: an answer needs no rule.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: Name,
    /// Its description on AWS.
    pub about: Name,
    pub inbound: Vec<GroupRule>,
    pub outbound: Vec<GroupRule>,
}

/// Allows; there is no rule of a group that denies.
#[derive(Clone, Debug)]
pub struct GroupRule {
    pub protocol: Protocol,
    pub ports: Ports,
    pub peer: Peer,
    pub only: RuleLifetime,
}

/// The other side of a rule: the source of an inbound one, the destination of an outbound one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Peer {
    Cidr(Cidr),
    /// All hosts in the group of this name.
    Group(Name),
    PrefixList(Name),
}

/// A network ACL. Stateless: the way back needs an entry of its own.
#[derive(Clone, Debug)]
pub struct Acl {
    pub name: Name,
    /// Entries by number: the first that fits decides, and what none fits is denied.
    pub inbound: Vec<AclEntry>,
    pub outbound: Vec<AclEntry>,
}

impl Acl {
    /// AWS's default quota of entries in each direction, its own final deny included.
    pub const ENTRIES_MAX: usize = 20;
}

/// A numbered rule of an ACL.
#[derive(Clone, Debug)]
pub struct AclEntry {
    pub number: u16,
    pub action: Action,
    pub protocol: Protocol,
    pub ports: Ports,
    pub cidr: Cidr,
    pub only: RuleLifetime,
}

/// What an ACL's entry does with packets that fit it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Allow,
    Deny,
}

/// Direction of packets, as a group or subnet sees them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Hosts that are alike: a row of the table, and a column where it listens.
#[derive(Clone, Debug)]
pub struct Tier {
    pub name: Name,
    /// Title of its column in the table.
    pub label: Option<Name>,
    /// Where it listens.
    pub port: Option<u16>,
    /// `None` if its hosts are not in the VPC.
    pub group: Option<Name>,
    /// AWS runs its hosts.
    pub is_managed: bool,
    /// Its hosts have addresses on the internet.
    pub is_public: bool,
    pub hosts: Vec<Host>,
}

/// A machine, or a network interface of a managed service.
#[derive(Clone, Debug)]
pub struct Host {
    pub name: Name,
    /// `None` if it is not in the VPC.
    pub subnet: Option<Name>,
    pub address: Ipv4Addr,
    /// The tier that it belongs to.
    pub tier: Name,
}

/// One tier may reach another, and as whom or to what end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Flow {
    pub from: Name,
    pub to: Name,
    /// The user of the database.
    pub user: Option<Name>,
    /// What S3 lets it do, such as `put`; empty for any other tier.
    pub actions: Vec<Name>,
    /// Which keys of S3.
    pub prefix: Option<Name>,
}

impl Network {
    pub fn subnet(&self, name: &Name) -> Option<&Subnet> {
        self.subnets.iter().find(|subnet| subnet.name == *name)
    }

    pub fn group(&self, name: &Name) -> Option<&Group> {
        self.groups.iter().find(|group| group.name == *name)
    }

    pub fn acl(&self, name: &Name) -> Option<&Acl> {
        self.acls.iter().find(|acl| acl.name == *name)
    }

    pub fn route_table(&self, name: &Name) -> Option<&RouteTable> {
        self.route_tables.iter().find(|table| table.name == *name)
    }

    pub fn prefix_list(&self, name: &Name) -> Option<&PrefixList> {
        self.prefix_lists.iter().find(|list| list.name == *name)
    }

    pub fn tier(&self, name: &Name) -> Option<&Tier> {
        self.tiers.iter().find(|tier| tier.name == *name)
    }

    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.tiers.iter().flat_map(|tier| &tier.hosts)
    }

    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts().find(|host| host.name == *name)
    }

    /// All zones, each once.
    pub fn zones(&self) -> Vec<Zone> {
        let mut zones: Vec<_> = self.subnets.iter().map(|subnet| subnet.zone).collect();
        zones.sort_unstable();
        zones.dedup();
        zones
    }

    /// The ranges that a peer stands for; for a group the addresses of its hosts are in [`Network::members`].
    pub fn cidrs<'a>(&'a self, peer: &'a Peer) -> &'a [Cidr] {
        match peer {
            Peer::Cidr(cidr) => std::slice::from_ref(cidr),
            Peer::PrefixList(name) => self.prefix_list(name).map_or(&[], |list| &list.cidrs),
            Peer::Group(_) => &[],
        }
    }

    /// The hosts in a group.
    pub fn members<'a>(&'a self, group: &'a Name) -> impl Iterator<Item = &'a Host> {
        let tiers = self
            .tiers
            .iter()
            .filter(move |tier| tier.group.as_ref() == Some(group));
        tiers.flat_map(|tier| &tier.hosts)
    }

    /// Whether an address is one that a peer stands for.
    pub fn is_in(&self, address: Ipv4Addr, peer: &Peer) -> bool {
        match peer {
            Peer::Group(group) => self.members(group).any(|host| host.address == address),
            _ => self.cidrs(peer).iter().any(|cidr| cidr.contains(address)),
        }
    }

    /// Whether a rule is there now.
    pub fn is_there(&self, only: RuleLifetime) -> bool {
        only == RuleLifetime::Always || self.nat_is_on
    }
}

impl Host {
    /// Whether it is outside the VPC.
    pub fn is_outside(&self) -> bool {
        self.subnet.is_none()
    }
}

impl Group {
    pub fn rules(&self, direction: Direction) -> &[GroupRule] {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
        }
    }
}

impl Acl {
    /// Entries by number.
    pub fn entries(&self, direction: Direction) -> &[AclEntry] {
        match direction {
            Direction::Inbound => &self.inbound,
            Direction::Outbound => &self.outbound,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cidr(cidr) => cidr.fmt(f),
            Self::Group(name) | Self::PrefixList(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InternetGateway => "internet gateway",
            Self::S3GatewayEndpoint => "S3 gateway endpoint",
            Self::NatGateway => "NAT gateway",
        })
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        })
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        })
    }
}
