//! The network drawn: tiers in their subnets, and who connects to whom on which port.

use std::fmt;

use crate::network::{
    model::{Acl, Flow, Network, Peer, RouteTarget, Subnet, Tier},
    value::Name,
};

/// As a flowchart of Mermaid, which Markdown viewers draw.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a>(&'a Network);

impl Network {
    pub fn picture(&self) -> Picture<'_> {
        Picture(self)
    }
}

impl fmt::Display for Picture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.0;
        writeln!(f, "flowchart TB")?;
        for tier in network.tiers.iter().filter(|tier| tier.group.is_none()) {
            writeln!(f, "    {}([\"{}\"])", id(&tier.name), tier.name)?;
        }
        writeln!(
            f,
            "    subgraph vpc[\"{} {}\"]",
            network.vpc.name, network.vpc.cidr
        )?;
        for acl in &network.acls {
            self.subnets(acl, f)?;
        }
        writeln!(f, "    end")?;
        for flow in &network.flows {
            self.arrow(flow, f)?;
        }
        Ok(())
    }
}

impl Picture<'_> {
    /// The subnets behind an ACL as one box, and the tiers in them.
    fn subnets(self, acl: &Acl, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = self.0;
        let is_behind = |subnet: &Subnet| subnet.acl == acl.name;
        let subnets = network.subnets.iter().filter(|subnet| is_behind(subnet));
        let subnets = subnets
            .map(|subnet| format!("{} {} in zone {}", subnet.name, subnet.cidr, subnet.zone));
        let title = subnets.collect::<Vec<_>>().join("<br>");
        writeln!(
            f,
            "        subgraph acl-{}[\"{title}<br>ACL {}\"]",
            acl.name, acl.name
        )?;
        for tier in &network.tiers {
            let mut homes = tier
                .hosts
                .iter()
                .filter_map(|host| network.subnet(host.subnet.as_ref()?));
            let Some(group) = tier.group.as_ref().filter(|_| homes.any(is_behind)) else {
                continue;
            };
            let hosts: Vec<_> = tier.hosts.iter().map(|host| host.name.as_str()).collect();
            let (id, name, hosts) = (id(&tier.name), &tier.name, hosts.join(", "));
            writeln!(f, "            {id}[\"{name}<br>{hosts}<br>{group}\"]")?;
        }
        writeln!(f, "        end")
    }

    fn arrow(self, flow: &Flow, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut label = self.ports(flow);
        if let Some(user) = &flow.user {
            label = format!("{label} as {user}");
        }
        if let Some(prefix) = &flow.prefix {
            let actions: Vec<_> = flow.actions.iter().map(Name::as_str).collect();
            label = format!(
                "{label}<br>{} {prefix}*<br>by the {}",
                actions.join(", "),
                RouteTarget::S3GatewayEndpoint
            );
        }
        writeln!(
            f,
            "    {} -->|\"{label}\"| {}",
            id(&flow.from),
            id(&flow.to)
        )
    }

    /// Those that the target's group opens to the source; outside the VPC there is no group.
    fn ports(self, flow: &Flow) -> String {
        let network = self.0;
        let group_of = |name| {
            network
                .tier(name)
                .and_then(|tier: &Tier| tier.group.as_ref())
        };
        let Some(group) = group_of(&flow.to).and_then(|name| network.group(name)) else {
            let port = network.tier(&flow.to).and_then(|tier| tier.port);
            return port.map_or_else(String::new, |port| port.to_string());
        };
        let source = group_of(&flow.from);
        let fits = |peer: &Peer| match peer {
            Peer::Group(name) => Some(name) == source,
            peer => source.is_none() && peer.is_everyone(),
        };
        let rules = group.inbound.iter().filter(|rule| fits(&rule.peer));
        let ports: Vec<_> = rules.map(|rule| rule.ports.to_string()).collect();
        ports.join(", ")
    }
}

/// A name as Mermaid takes it for a node: no blanks.
fn id(name: &Name) -> String {
    name.as_str().replace(' ', "-")
}
