//! Network ACLs: what a subnet lets in and out, the way back included.

use std::net::Ipv4Addr;

use aws_model::network::{Action, Cidr, Direction, Ports, While};
use serde_json::Value;

use super::{subnets, within};
use crate::doctor::account::{Account, Call};
use crate::doctor::json::{is_true, list, number, text};
use crate::doctor::{Finding, Findings, Names};

/// Someone on the internet.
const ANYONE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

pub fn check(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    let mut seen = Vec::new();
    for subnet in &names.network.subnets {
        for id in subnets(account, names, vpc, |named| named.cidr == subnet.cidr) {
            let Some(found) = of_subnet(account, vpc, id) else {
                continue;
            };
            let acl = Acl {
                id: text(found, "NetworkAclId"),
                entries: list(found, "Entries"),
            };
            if seen.contains(&acl.id) {
                continue;
            }
            seen.push(acl.id);
            acl.holes(names, findings);
            acl.ways(names, subnet, findings);
            acl.s3(account, subnet, findings);
        }
    }
}

fn of_subnet<'a>(account: &'a Account, vpc: &'a str, subnet: &str) -> Option<&'a Value> {
    let linked = |link: &Value| text(link, "SubnetId") == subnet;
    within(account, &Call::Acls, "NetworkAcls", vpc)
        .find(|acl| list(acl, "Associations").iter().any(linked))
}

struct Acl<'a> {
    id: &'a str,
    entries: &'a [Value],
}

impl Acl<'_> {
    /// The first entry that a TCP packet meets, by number.
    fn met(&self, direction: Direction, address: Ipv4Addr, port: u16) -> Option<&Value> {
        let egress = matches!(direction, Direction::Outbound);
        let meets = |entry: &&Value| {
            let protocol = text(entry, "Protocol");
            let within = |entry: &Value| {
                let from = number(entry, "PortRange.From").unwrap_or(0);
                let to = number(entry, "PortRange.To").unwrap_or(65_535);
                (from..=to).contains(&i64::from(port))
            };
            let cidr = Cidr::try_from(text(entry, "CidrBlock").to_owned());
            is_true(entry, "Egress") == egress
                && (protocol == "-1" || (protocol == "6" && within(entry)))
                && cidr.is_ok_and(|cidr| cidr.contains(address))
        };
        let met = self.entries.iter().filter(meets);
        met.min_by_key(|entry| number(entry, "RuleNumber"))
    }

    fn allows(&self, direction: Direction, address: Ipv4Addr, port: u16) -> bool {
        let met = self.met(direction, address, port);
        met.is_some_and(|entry| text(entry, "RuleAction") == "allow")
    }

    /// Ports of servers that anyone may come to.
    fn holes(&self, names: &Names, findings: &mut Findings) {
        let inner = names.network.tiers.iter().filter(|tier| !tier.is_public);
        let inner = inner.filter(|tier| tier.group.is_some());
        let mut inner: Vec<_> = inner.filter_map(|tier| tier.port).collect();
        let mut found: Vec<(i64, Vec<u16>)> = Vec::new();
        inner.sort_unstable();
        inner.dedup();
        for port in inner {
            let Some(entry) = self.met(Direction::Inbound, ANYONE, port) else {
                continue;
            };
            if text(entry, "RuleAction") != "allow" {
                continue;
            }
            let number = number(entry, "RuleNumber").unwrap_or_default();
            match found.iter_mut().find(|(known, _)| *known == number) {
                Some((_, ports)) => ports.push(port),
                None => found.push((number, vec![port])),
            }
        }
        for (number, ports) in found {
            let id = self.id;
            let ports: Vec<_> = ports.iter().map(u16::to_string).collect();
            findings.add(
                Finding::error(
                    "acl-ephemeral-hole",
                    format!("entry {number} of the ACL {id} lets anyone in on {}", ports.join(" and ")),
                )
                .causes("only the groups still keep the internet from tiers and database")
                .why("the ephemeral ports, opened to 0.0.0.0/0 for answers, include those of the servers")
                .mend(format!(
                    "aws ec2 delete-network-acl-entry --network-acl-id {id} --ingress --rule-number {number}"
                )),
            );
        }
    }

    /// What the notes let through must come through: each entry is tried with its first and its last port.
    fn ways(&self, names: &Names, subnet: &aws_model::network::Subnet, findings: &mut Findings) {
        let Some(wanted) = names.network.acl(&subnet.acl) else {
            return;
        };
        let of_s3 = |cidr: Cidr| {
            let lists = names.network.prefix_lists.iter();
            lists
                .flat_map(|list| &list.cidrs)
                .any(|known| *known == cidr)
        };
        for direction in [Direction::Inbound, Direction::Outbound] {
            for entry in wanted.entries(direction) {
                if entry.only != While::Always || entry.action != Action::Allow || of_s3(entry.cidr)
                {
                    continue;
                }
                let address = inside(entry.cidr);
                let ports = [entry.ports.first(), entry.ports.last()];
                if ports
                    .iter()
                    .all(|port| self.allows(direction, address, *port))
                {
                    continue;
                }
                let is_way_back = entry.ports == Ports::EPHEMERAL;
                findings.add(self.shut(direction, is_way_back, entry));
            }
        }
    }

    fn shut(
        &self,
        direction: Direction,
        is_way_back: bool,
        entry: &aws_model::network::AclEntry,
    ) -> Finding {
        let id = self.id;
        let (way, flag) = match direction {
            Direction::Inbound => ("in from", "--ingress"),
            Direction::Outbound => ("out to", "--egress"),
        };
        let (code, why) = if is_way_back {
            (
                "acl-way-back-missing",
                "an ACL is stateless: answers go to the ephemeral ports of who asked",
            )
        } else {
            (
                "acl-way-missing",
                "what no entry of an ACL allows is denied, whatever the groups say",
            )
        };
        let (ports, cidr) = (entry.ports, entry.cidr);
        Finding::error(code, format!("the ACL {id} lets nothing {way} {cidr} on {ports}"))
            .causes("connections are opened and never answered: they time out")
            .why(why)
            .mend(format!(
                "aws ec2 create-network-acl-entry --network-acl-id {id} {flag} --rule-number {} --rule-action allow \
                 --protocol tcp --port-range From={},To={} --cidr-block {cidr}",
                entry.number,
                ports.first(),
                ports.last()
            ))
    }

    /// ACLs can't name a prefix list, and S3's grows.
    fn s3(&self, account: &Account, subnet: &aws_model::network::Subnet, findings: &mut Findings) {
        if !super::is_private(subnet) {
            return;
        }
        let lists = list(account.value(&Call::PrefixLists), "PrefixLists").iter();
        let ids = lists.map(|found| text(found, "PrefixListId"));
        let mut missing = Vec::new();
        for id in ids {
            let answer = account.value(&Call::PrefixListEntries(id.to_owned()));
            for entry in list(answer, "Entries") {
                let Ok(cidr) = Cidr::try_from(text(entry, "Cidr").to_owned()) else {
                    continue;
                };
                let address = inside(cidr);
                let back = [Ports::EPHEMERAL.first(), Ports::EPHEMERAL.last()];
                let comes_back = back
                    .iter()
                    .all(|port| self.allows(Direction::Inbound, address, *port));
                if !comes_back || !self.allows(Direction::Outbound, address, 443) {
                    missing.push(cidr);
                }
            }
        }
        let Some(first) = missing.first() else { return };
        let (id, count) = (self.id, missing.len());
        findings.add(
            Finding::error(
                "acl-s3-missing",
                format!("the ACL {id} does not let S3 through: {count} of its addresses, {first} for one"),
            )
            .causes("some calls to S3 hang: payments are refused with 503, rows come late")
            .why("an ACL can't name S3's prefix list, and the list grows now and then")
            .mend(format!(
                "aws ec2 create-network-acl-entry --network-acl-id {id} --egress --rule-number 400 --rule-action allow \
                 --protocol tcp --port-range From=443,To=443 --cidr-block {first} && aws ec2 create-network-acl-entry \
                 --network-acl-id {id} --ingress --rule-number 400 --rule-action allow --protocol tcp \
                 --port-range From=1024,To=65535 --cidr-block {first}"
            )),
        );
    }
}

/// An address of a network that is neither its first nor, where there are more, its last.
fn inside(cidr: Cidr) -> Ipv4Addr {
    if cidr.prefix_len() == 0 {
        return ANYONE;
    }
    Ipv4Addr::from(u32::from(cidr.network()).saturating_add(u32::from(cidr.prefix_len() < 31)))
}
