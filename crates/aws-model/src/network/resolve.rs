//! Makes the network of its text, and checks that all its parts fit together.

mod names;

use std::{collections::HashSet, net::Ipv4Addr};

use toml::Spanned;

use self::names::{Fault, Known, Peers, fault};
use crate::network::{
    error::Error,
    model::{
        Acl, AclEntry, Flow, Group, GroupRule, Host, Nat, Network, Peer, PrefixList, Route,
        RouteTable, RouteTarget, Subnet, Tier, Vpc,
    },
    raw::{
        Raw, RawAcl, RawAclEntry, RawFlow, RawGroupRule, RawHost, RawNat, RawRoute, RawRouteTarget,
        RawTier,
    },
    value::{Cidr, Name},
};

impl Network {
    /// Reads the text, and checks that all it names is there.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let raw: Raw = toml::from_str(text).map_err(|error| Error::Form(error.to_string()))?;
        resolve(raw).map_err(|fault| Error::at(text, fault.place.start, fault.text))
    }
}

fn resolve(raw: Raw) -> Result<Network, Fault> {
    let tables = Known::of(
        "route table",
        raw.route_table.iter().map(|table| &table.name),
    )?;
    let acls = Known::of("ACL", raw.acl.iter().map(|acl| &acl.name))?;
    let peers = Peers {
        groups: Known::of("group", raw.group.iter().map(|group| &group.name))?,
        lists: Known::of("prefix list", raw.prefix_list.iter().map(|list| &list.name))?,
    };
    let tiers = Known::of("tier", raw.tier.iter().map(|tier| &tier.name))?;
    Known::of("subnet", raw.subnet.iter().map(|subnet| &subnet.name))?;
    Known::of(
        "host",
        raw.tier
            .iter()
            .flat_map(|tier| &tier.hosts)
            .map(|host| &host.name),
    )?;

    let vpc = Vpc {
        name: raw.vpc.name,
        cidr: *raw.vpc.cidr.get_ref(),
    };
    let mut subnets: Vec<Subnet> = Vec::new();
    for subnet in raw.subnet {
        let cidr = *subnet.cidr.get_ref();
        if !vpc.cidr.covers(cidr) {
            return Err(fault(
                &subnet.cidr,
                format!("{cidr} is not in the VPC's {}", vpc.cidr),
            ));
        }
        if let Some(other) = subnets.iter().find(|other| other.cidr.overlaps(cidr)) {
            return Err(fault(
                &subnet.cidr,
                format!("{cidr} overlaps the subnet {}", other.name),
            ));
        }
        subnets.push(Subnet {
            name: subnet.name.into_inner(),
            cidr,
            zone: subnet.zone,
            route_table: tables.check(subnet.route_table)?,
            acl: acls.check(subnet.acl)?,
        });
    }
    let nat = nat(raw.nat, &subnets)?;
    let route_tables = raw.route_table.into_iter().map(|table| {
        let routes = table.routes.into_iter().map(|raw| route(raw, &peers));
        Ok(RouteTable {
            name: table.name.into_inner(),
            routes: routes.collect::<Result<_, _>>()?,
        })
    });
    let groups = raw.group.into_iter().map(|group| {
        Ok(Group {
            name: group.name.into_inner(),
            about: group.about,
            inbound: group_rules(group.inbound, &peers)?,
            outbound: group_rules(group.outbound, &peers)?,
        })
    });
    let mut addresses = HashSet::from([nat.address]);
    let mut resolved = Vec::new();
    for raw in raw.tier {
        resolved.push(tier(
            raw,
            &peers.groups,
            &subnets,
            vpc.cidr,
            &mut addresses,
        )?);
    }
    Ok(Network {
        region: raw.region,
        route_tables: route_tables.collect::<Result<_, _>>()?,
        groups: groups.collect::<Result<_, _>>()?,
        acls: raw.acl.into_iter().map(acl).collect::<Result<_, _>>()?,
        flows: raw
            .flow
            .into_iter()
            .map(|raw| flow(raw, &tiers, &resolved))
            .collect::<Result<_, _>>()?,
        prefix_lists: raw
            .prefix_list
            .into_iter()
            .map(|list| PrefixList {
                name: list.name.into_inner(),
                cidrs: list.cidrs,
            })
            .collect(),
        tiers: resolved,
        vpc,
        subnets,
        nat,
        nat_is_on: false,
    })
}

fn nat(raw: RawNat, subnets: &[Subnet]) -> Result<Nat, Fault> {
    let subnet = find(&raw.subnet, subnets)?;
    check_address(&raw.address, subnet)?;
    Ok(Nat {
        subnet: subnet.name.clone(),
        address: raw.address.into_inner(),
    })
}

fn find<'a>(name: &Spanned<Name>, subnets: &'a [Subnet]) -> Result<&'a Subnet, Fault> {
    subnets
        .iter()
        .find(|subnet| subnet.name == *name.get_ref())
        .ok_or_else(|| fault(name, format!("there is no subnet {}", name.get_ref())))
}

fn check_address(address: &Spanned<Ipv4Addr>, subnet: &Subnet) -> Result<(), Fault> {
    if subnet.cidr.is_for_hosts(*address.get_ref()) {
        return Ok(());
    }
    let text = format!(
        "{} can't be a host's in the subnet {} ({}): AWS keeps its first four addresses and the last",
        address.get_ref(),
        subnet.name,
        subnet.cidr
    );
    Err(fault(address, text))
}

fn route(raw: RawRoute, peers: &Peers) -> Result<Route, Fault> {
    let place = raw.to.span();
    let to = peers.resolve(raw.to)?;
    if let Peer::Group(name) = to {
        let text = format!("a route leads to a CIDR or a prefix list, not to a group ({name})");
        return Err(Fault { place, text });
    }
    let via = match raw.via {
        RawRouteTarget::InternetGateway => RouteTarget::InternetGateway,
        RawRouteTarget::S3GatewayEndpoint => RouteTarget::S3GatewayEndpoint,
        RawRouteTarget::NatGateway => RouteTarget::NatGateway,
    };
    Ok(Route {
        to,
        via,
        only: raw.only,
    })
}

fn group_rules(raw: Vec<RawGroupRule>, peers: &Peers) -> Result<Vec<GroupRule>, Fault> {
    let rules = raw.into_iter().map(|rule| {
        Ok(GroupRule {
            protocol: rule.protocol,
            ports: rule.ports,
            peer: peers.resolve(rule.peer)?,
            only: rule.only,
        })
    });
    rules.collect()
}

fn acl(raw: RawAcl) -> Result<Acl, Fault> {
    for entries in [&raw.inbound, &raw.outbound] {
        // AWS's own final deny counts as one.
        let count = entries.len() + 1;
        if count > Acl::ENTRIES_MAX {
            let text = format!(
                "{count} entries in one direction, the final deny included: AWS takes {}",
                Acl::ENTRIES_MAX
            );
            return Err(fault(&raw.name, text));
        }
    }
    Ok(Acl {
        name: raw.name.into_inner(),
        inbound: acl_entries(raw.inbound)?,
        outbound: acl_entries(raw.outbound)?,
    })
}

fn acl_entries(raw: Vec<RawAclEntry>) -> Result<Vec<AclEntry>, Fault> {
    let mut numbers = HashSet::new();
    let mut entries = Vec::new();
    for entry in raw {
        let number = *entry.number.get_ref();
        // AWS keeps the rest to itself.
        if !(1..=32_766).contains(&number) {
            return Err(fault(
                &entry.number,
                format!("{number} is no number of an entry: 1 to 32766 are"),
            ));
        }
        if !numbers.insert(number) {
            return Err(fault(
                &entry.number,
                format!("there are two entries {number}"),
            ));
        }
        entries.push(AclEntry {
            number,
            action: entry.action,
            protocol: entry.protocol,
            ports: entry.ports,
            cidr: entry.cidr,
            only: entry.only,
        });
    }
    entries.sort_by_key(|entry| entry.number);
    Ok(entries)
}

fn tier(
    raw: RawTier,
    groups: &Known,
    subnets: &[Subnet],
    vpc: Cidr,
    addresses: &mut HashSet<Ipv4Addr>,
) -> Result<Tier, Fault> {
    if raw.label.is_some() != raw.port.is_some() {
        let text = format!(
            "the tier {} needs both label and port, or neither",
            raw.name.get_ref()
        );
        return Err(fault(&raw.name, text));
    }
    let group = raw.group.map(|group| groups.check(group)).transpose()?;
    let name = raw.name.into_inner();
    let mut hosts = Vec::new();
    for raw in raw.hosts {
        if !addresses.insert(*raw.address.get_ref()) {
            let text = format!("{} belongs to another host, too", raw.address.get_ref());
            return Err(fault(&raw.address, text));
        }
        hosts.push(host(raw, group.is_some(), subnets, vpc, &name)?);
    }
    Ok(Tier {
        name,
        label: raw.label,
        port: raw.port,
        group,
        is_managed: raw.managed,
        is_public: raw.public,
        hosts,
    })
}

/// A host is in the VPC with a group and a subnet, or outside with neither.
fn host(
    raw: RawHost,
    has_group: bool,
    subnets: &[Subnet],
    vpc: Cidr,
    tier: &Name,
) -> Result<Host, Fault> {
    let address = *raw.address.get_ref();
    let subnet = match (&raw.subnet, has_group) {
        (Some(name), true) => {
            let subnet = find(name, subnets)?;
            check_address(&raw.address, subnet)?;
            Some(subnet.name.clone())
        }
        (None, false) if vpc.contains(address) => {
            let text = format!("{address} is in the VPC, but the host has no subnet");
            return Err(fault(&raw.address, text));
        }
        (None, false) => None,
        (Some(name), false) => {
            return Err(fault(
                name,
                format!("a host in a subnet needs a group: name one for the tier {tier}"),
            ));
        }
        (None, true) => {
            let text = format!(
                "the tier {tier} has a group, so the host {} needs a subnet",
                raw.name.get_ref()
            );
            return Err(fault(&raw.name, text));
        }
    };
    Ok(Host {
        name: raw.name.into_inner(),
        subnet,
        address,
        tier: tier.clone(),
    })
}

fn flow(raw: RawFlow, names: &Known, tiers: &[Tier]) -> Result<Flow, Fault> {
    let place = raw.to.span();
    let (from, to) = (names.check(raw.from)?, names.check(raw.to)?);
    if tiers
        .iter()
        .any(|tier| tier.name == to && tier.port.is_none())
    {
        let text = format!("the tier {to} listens on no port");
        return Err(Fault { place, text });
    }
    Ok(Flow {
        from,
        to,
        user: raw.user,
        actions: raw.actions,
        prefix: raw.prefix,
    })
}
