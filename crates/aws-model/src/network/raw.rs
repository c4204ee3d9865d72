//! The text as it is written. Names that refer to something keep their place, for messages.

use std::net::Ipv4Addr;

use serde::Deserialize;
use toml::Spanned;

use crate::network::{
    model::{Action, RuleLifetime},
    value::{Cidr, Name, Ports, Protocol, Zone},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Raw {
    pub(crate) region: Name,
    pub(crate) vpc: RawVpc,
    pub(crate) subnet: Vec<RawSubnet>,
    pub(crate) prefix_list: Vec<RawPrefixList>,
    pub(crate) route_table: Vec<RawRouteTable>,
    pub(crate) nat: RawNat,
    pub(crate) group: Vec<RawGroup>,
    pub(crate) acl: Vec<RawAcl>,
    pub(crate) tier: Vec<RawTier>,
    pub(crate) flow: Vec<RawFlow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawVpc {
    pub(crate) name: Name,
    pub(crate) cidr: Spanned<Cidr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawSubnet {
    pub(crate) name: Spanned<Name>,
    pub(crate) cidr: Spanned<Cidr>,
    pub(crate) zone: Zone,
    pub(crate) route_table: Spanned<Name>,
    pub(crate) acl: Spanned<Name>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPrefixList {
    pub(crate) name: Spanned<Name>,
    pub(crate) cidrs: Vec<Cidr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRouteTable {
    pub(crate) name: Spanned<Name>,
    pub(crate) routes: Vec<RawRoute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRoute {
    pub(crate) to: Spanned<Name>,
    pub(crate) via: RawRouteTarget,
    #[serde(default, rename = "while")]
    pub(crate) only: RuleLifetime,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawRouteTarget {
    InternetGateway,
    S3GatewayEndpoint,
    NatGateway,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawNat {
    pub(crate) subnet: Spanned<Name>,
    pub(crate) address: Spanned<Ipv4Addr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGroup {
    pub(crate) name: Spanned<Name>,
    pub(crate) about: Name,
    pub(crate) inbound: Vec<RawGroupRule>,
    pub(crate) outbound: Vec<RawGroupRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawGroupRule {
    pub(crate) protocol: Protocol,
    pub(crate) ports: Ports,
    pub(crate) peer: Spanned<Name>,
    #[serde(default, rename = "while")]
    pub(crate) only: RuleLifetime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAcl {
    pub(crate) name: Spanned<Name>,
    pub(crate) inbound: Vec<RawAclEntry>,
    pub(crate) outbound: Vec<RawAclEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAclEntry {
    pub(crate) number: Spanned<u16>,
    pub(crate) action: Action,
    pub(crate) protocol: Protocol,
    pub(crate) ports: Ports,
    pub(crate) cidr: Cidr,
    #[serde(default, rename = "while")]
    pub(crate) only: RuleLifetime,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTier {
    pub(crate) name: Spanned<Name>,
    pub(crate) label: Option<Name>,
    pub(crate) port: Option<u16>,
    pub(crate) group: Option<Spanned<Name>>,
    #[serde(default)]
    pub(crate) managed: bool,
    #[serde(default)]
    pub(crate) public: bool,
    pub(crate) hosts: Vec<RawHost>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawHost {
    pub(crate) name: Spanned<Name>,
    pub(crate) subnet: Option<Spanned<Name>>,
    pub(crate) address: Spanned<Ipv4Addr>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawFlow {
    pub(crate) from: Spanned<Name>,
    pub(crate) to: Spanned<Name>,
    pub(crate) user: Option<Name>,
    #[serde(default)]
    pub(crate) actions: Vec<Name>,
    pub(crate) prefix: Option<Name>,
}
