//! The way of a connection, and of its answers, rule by rule.

use std::net::Ipv4Addr;

use crate::network::{
    model::{
        Acl, AclEntry, Action, Direction, Group, GroupRule, Host, Network, Peer, Route,
        RouteTarget, Subnet,
    },
    value::{Name, Ports, Protocol},
    verdict::{Layer, Rule, Step, Verdict},
};

/// No host has this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no host {name}; there are {known}")]
pub struct UnknownName {
    name: String,
    known: String,
}

/// One half of a connection: packets from an address to ports of another.
#[derive(Clone, Copy)]
struct Packets {
    from: Ipv4Addr,
    to: Ipv4Addr,
    ports: Ports,
    is_answer: bool,
}

impl Network {
    /// Whether a TCP connection from one host to a port of another comes about, and by which rules. Names of hosts.
    pub fn may(&self, from: &str, to: &str, port: u16) -> Result<Verdict<'_>, UnknownName> {
        Ok(self.judge(self.named(from)?, self.named(to)?, port))
    }

    /// The host of that name; a tier's label stands for its first host.
    pub fn named(&self, name: &str) -> Result<&Host, UnknownName> {
        let is_label = |label: &Name| label.as_str().eq_ignore_ascii_case(name);
        let by_label = || {
            let tier = self
                .tiers
                .iter()
                .find(|tier| tier.label.as_ref().is_some_and(is_label))?;
            tier.hosts.first()
        };
        self.host(name).or_else(by_label).ok_or_else(|| {
            let known: Vec<_> = self.hosts().map(|host| host.name.as_str()).collect();
            UnknownName {
                name: name.to_owned(),
                known: known.join(", "),
            }
        })
    }

    /// The same for hosts of this network.
    pub fn judge<'a>(&'a self, from: &'a Host, to: &'a Host, port: u16) -> Verdict<'a> {
        let there = Packets {
            from: from.address,
            to: to.address,
            ports: port.into(),
            is_answer: false,
        };
        let back = Packets {
            from: to.address,
            to: from.address,
            ports: self.ephemeral(from),
            is_answer: true,
        };
        let mut steps = Vec::new();
        if from.is_outside() && to.is_outside() {
            steps.push(there.step(Layer::Gateway, Rule::Elsewhere, false));
        }
        steps.extend(
            self.group_of(from)
                .map(|group| self.group_step(group, Direction::Outbound, there)),
        );
        self.way(from, to, there, &mut steps);
        steps.extend(
            self.group_of(to)
                .map(|group| self.group_step(group, Direction::Inbound, there)),
        );
        self.way(to, from, back, &mut steps);
        Verdict {
            from,
            to,
            port,
            steps,
        }
    }

    /// Between two hosts, groups aside. Within a subnet nobody is asked.
    fn way<'a>(
        &'a self,
        from: &'a Host,
        to: &'a Host,
        packets: Packets,
        steps: &mut Vec<Step<'a>>,
    ) {
        let (source, target) = (self.subnet_of(from), self.subnet_of(to));
        if let (Some(source), Some(target)) = (source, target)
            && source.name == target.name
        {
            return;
        }
        if let Some(source) = source {
            steps.extend(self.acl_step(source, Direction::Outbound, packets));
            steps.extend(self.route_step(source, packets));
        } else if !packets.is_answer && target.is_some() && !self.is_public(to) {
            // Outside, the internet's gateway alone leads in.
            steps.push(packets.step(Layer::Gateway, Rule::NoPublicAddress(to), false));
        }
        if let Some(target) = target {
            steps.extend(self.acl_step(target, Direction::Inbound, packets));
        }
    }

    fn subnet_of(&self, host: &Host) -> Option<&Subnet> {
        self.subnet(host.subnet.as_ref()?)
    }

    fn group_of(&self, host: &Host) -> Option<&Group> {
        self.group(self.tier(&host.tier)?.group.as_ref()?)
    }

    fn is_public(&self, host: &Host) -> bool {
        self.tier(&host.tier).is_some_and(|tier| tier.is_public)
    }

    /// The ports that answers to a host go to.
    fn ephemeral(&self, host: &Host) -> Ports {
        let tier = self.tier(&host.tier);
        if tier.is_some_and(|tier| tier.group.is_some() && !tier.is_managed) {
            Ports::EPHEMERAL_LINUX
        } else {
            Ports::EPHEMERAL
        }
    }

    fn group_step<'a>(
        &'a self,
        group: &'a Group,
        direction: Direction,
        packets: Packets,
    ) -> Step<'a> {
        let peer = packets.peer(direction);
        let fits = |rule: &&GroupRule| {
            self.is_there(rule.only)
                && rule.protocol == Protocol::Tcp
                && packets.ports.and(rule.ports) == Some(packets.ports)
                && self.is_in(peer, &rule.peer)
        };
        let rule = group.rules(direction).iter().find(fits);
        packets.step(
            Layer::Group,
            Rule::Group(group, direction, rule),
            rule.is_some(),
        )
    }

    fn acl_step<'a>(
        &'a self,
        subnet: &Subnet,
        direction: Direction,
        packets: Packets,
    ) -> Option<Step<'a>> {
        let acl = self.acl(&subnet.acl)?;
        let (entry, lets) = self.first_that_decides(acl, direction, packets);
        Some(packets.step(Layer::Acl, Rule::Acl(acl, direction, entry), lets))
    }

    /// Goes through the entries by number, as AWS does. Of a range of ports all must be let through: one that is not
    /// would lose connections now and then. Answers from outside the VPC may lose a port that is denied by itself:
    /// whoever connects there tries again from another one, which a load balancer does not.
    fn first_that_decides<'a>(
        &'a self,
        acl: &'a Acl,
        direction: Direction,
        packets: Packets,
    ) -> (Option<&'a AclEntry>, bool) {
        let peer = packets.peer(direction);
        let may_lose_a_port = packets.is_answer && !self.vpc.cidr.contains(peer);
        let mut open = vec![packets.ports];
        for entry in acl.entries(direction) {
            let concerns = self.is_there(entry.only)
                && entry.protocol == Protocol::Tcp
                && entry.cidr.contains(peer)
                && open.iter().any(|ports| ports.and(entry.ports).is_some());
            if !concerns {
                continue;
            }
            if entry.action == Action::Deny && !(may_lose_a_port && entry.ports.is_one()) {
                return (Some(entry), false);
            }
            open = open
                .into_iter()
                .flat_map(|ports| ports.without(entry.ports))
                .collect();
            if open.is_empty() {
                return (Some(entry), true);
            }
        }
        (None, false)
    }

    fn route_step<'a>(&'a self, subnet: &Subnet, packets: Packets) -> Option<Step<'a>> {
        let table = self.route_table(&subnet.route_table)?;
        if self.vpc.cidr.contains(packets.to) {
            return Some(packets.step(Layer::Route, Rule::Local(table), true));
        }
        // The longest prefix wins.
        let length = |route: &Route| {
            let fitting = self
                .cidrs(&route.to)
                .iter()
                .filter(|cidr| cidr.contains(packets.to));
            fitting.map(|cidr| cidr.prefix_len()).max()
        };
        let route = table
            .routes
            .iter()
            .filter(|route| self.is_there(route.only))
            .filter_map(|route| Some((length(route)?, route)))
            .max_by_key(|(length, _)| *length)
            .map(|(_, route)| route);
        let leads = route.is_some_and(|route| self.leads(route, packets));
        Some(packets.step(Layer::Route, Rule::Route(table, route), leads))
    }

    /// A private address gets no answer from behind the internet's gateway, and NAT takes in no connection.
    fn leads(&self, route: &Route, packets: Packets) -> bool {
        match route.via {
            RouteTarget::InternetGateway => self
                .hosts()
                .any(|host| host.address == packets.from && self.is_public(host)),
            RouteTarget::NatGateway => !packets.is_answer,
            RouteTarget::S3GatewayEndpoint => true,
        }
    }
}

impl Packets {
    /// The side that a rule of this direction names.
    fn peer(self, direction: Direction) -> Ipv4Addr {
        match direction {
            Direction::Inbound => self.from,
            Direction::Outbound => self.to,
        }
    }

    fn step(self, layer: Layer, rule: Rule<'_>, lets: bool) -> Step<'_> {
        Step {
            layer,
            rule,
            lets,
            is_answer: self.is_answer,
        }
    }
}

impl Peer {
    /// Whether it is every address there is.
    pub fn is_everyone(&self) -> bool {
        matches!(self, Self::Cidr(cidr) if cidr.prefix_len() == 0)
    }
}
