//! The network of the pipeline as AWS has it: subnets, routes, security groups, network ACLs, hosts.
//!
//! Reads `deploy-notes/network.toml`, and says who reaches whom, and by which rule or against which. Owns what the
//! words mean on AWS: groups are stateful, ACLs are stateless and checked both ways, a route must lead there and back.
//! It does no I/O: whoever asks brings the text.
//!
//! - [`Network::parse`]: the text, checked; a mistake is named with its place.
//! - [`Network::may`]: one pair of hosts and a port, step by step.
//! - [`Network::table`]: all pairs, compared with what should be.
//! - [`Network::picture`]: it, drawn.
//! - [`Network::audit`]: every rule that lets in more than it should, even if another still stops it.

mod audit;
mod error;
mod model;
mod path;
mod picture;
mod raw;
mod resolve;
mod table;
mod value;
mod verdict;

pub use self::{
    audit::Finding,
    error::Error,
    model::{
        Acl, AclEntry, Action, Direction, Flow, Group, GroupRule, Host, Nat, Network, Peer,
        PrefixList, Route, RouteTable, RouteTarget, RuleLifetime, Subnet, Tier, Vpc,
    },
    path::UnknownName,
    picture::Picture,
    table::{Cell, Row, Table},
    value::{Cidr, Name, Ports, Protocol, Zone},
    verdict::{Layer, Rule, Step, Verdict},
};

#[cfg(test)]
mod tests;
