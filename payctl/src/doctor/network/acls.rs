//! Network ACLs: what a subnet lets in and out, the way back included.

use std::net::Ipv4Addr;

use aws_model::network::{Acl, AclEntry, Action, Cidr, Direction, Ports};
use serde_json::Value;

use super::{subnets, within};
use crate::doctor::account::{Account, Call};
use crate::doctor::json::{is_true, list, number, text};
use crate::doctor::{Findings, Names};

/// The number of AWS's own last entry.
const FINAL_DENY: i64 = 32_767;

/// Someone on the internet.
const ANYONE: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

pub fn check(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    let mut seen = Vec::new();
    for subnet in &names.network.subnets {
        for id in subnets(account, names, vpc, |named| named.cidr == subnet.cidr) {
            let Some(found) = of_subnet(account, vpc, id) else {
                continue;
            };
            let Some(wanted) = names.network.acl(&subnet.acl) else {
                continue;
            };
            let acl = Found {
                id: text(found, "NetworkAclId"),
                entries: list(found, "Entries"),
            };
            if seen.contains(&acl.id) {
                continue;
            }
            seen.push(acl.id);
            acl.holes(names, wanted, findings);
            acl.ways(names, wanted, findings);
            acl.full(wanted, findings);
        }
    }
}

fn of_subnet<'a>(account: &'a Account, vpc: &'a str, subnet: &str) -> Option<&'a Value> {
    let linked = |link: &Value| text(link, "SubnetId") == subnet;
    within(account, &Call::Acls, "NetworkAcls", vpc)
        .find(|acl| list(acl, "Associations").iter().any(linked))
}

/// An ACL of the account.
struct Found<'a> {
    id: &'a str,
    entries: &'a [Value],
}

impl Found<'_> {
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
    fn holes(&self, names: &Names, wanted: &Acl, findings: &mut Findings) {
        let inner = names.network.tiers.iter().filter(|tier| !tier.is_public);
        let inner = inner.filter(|tier| tier.group.is_some());
        let mut inner: Vec<_> = inner.filter_map(|tier| tier.port).collect();
        inner.sort_unstable();
        inner.dedup();
        for port in inner {
            let Some(entry) = self.met(Direction::Inbound, ANYONE, port) else {
                continue;
            };
            if text(entry, "RuleAction") != "allow" {
                continue;
            }
            let id = self.id;
            let number = number(entry, "RuleNumber").unwrap_or_default();
            let denies =
                |entry: &&AclEntry| entry.action == Action::Deny && entry.ports.contains(port);
            let deny = wanted.inbound.iter().find(denies);
            // An entry ahead of the one that denies must go; otherwise that one is what is missing.
            let mend = match deny {
                Some(deny) if number > i64::from(deny.number) => self.put(Direction::Inbound, deny),
                _ => format!(
                    "aws ec2 delete-network-acl-entry --network-acl-id {id} --ingress --rule-number {number}"
                ),
            };
            findings.error(
                    "acl-ephemeral-hole",
                    format!("entry {number} of the ACL {id} lets anyone in on {port}"),
                )
                .causes("only the groups still keep the internet from tiers and database")
                .why("the ephemeral ports, opened to 0.0.0.0/0 for answers, include those of the servers")
                .mend(mend);
        }
    }

    /// What the notes let through must come through: each entry is tried with its first and its last port.
    fn ways(&self, names: &Names, wanted: &Acl, findings: &mut Findings) {
        for direction in [Direction::Inbound, Direction::Outbound] {
            for entry in wanted.entries(direction) {
                if entry.action != Action::Allow || !names.network.is_there(entry.only) {
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
                self.shut(direction, entry, findings);
            }
        }
    }

    /// Entries beyond those of the notes, if they leave no room for the ones that come and go.
    fn full(&self, wanted: &Acl, findings: &mut Findings) {
        for direction in [Direction::Inbound, Direction::Outbound] {
            let egress = matches!(direction, Direction::Outbound);
            let is_of = |entry: &&Value| is_true(entry, "Egress") == egress;
            let numbers = self.entries.iter().filter(is_of);
            let numbers: Vec<_> = numbers
                .filter_map(|entry| number(entry, "RuleNumber"))
                .filter(|number| *number < FINAL_DENY)
                .collect();
            let planned = wanted.entries(direction).iter();
            let to_come = planned.filter(|entry| !numbers.contains(&entry.number.into()));
            let count = numbers.len() + to_come.count() + 1;
            if count <= Acl::ENTRIES_MAX {
                continue;
            }
            let id = self.id;
            findings.warning(
                    "acl-full",
                    format!(
                        "the ACL {id} would have {count} {direction} entries with those of the notes; AWS takes {}",
                        Acl::ENTRIES_MAX
                    ),
                )
                .causes("an entry that is needed can't be added: the way out does not open")
                .why("the quota counts the entries in each direction, the final deny included")
                .mend(format!(
                    "aws ec2 describe-network-acls --network-acl-ids {id}, and delete those that page 2 of the notes does not have"
                ));
        }
    }

    /// The command that makes an entry as the notes have it, even if its number is taken.
    fn put(&self, direction: Direction, entry: &AclEntry) -> String {
        let egress = matches!(direction, Direction::Outbound);
        let is_taken = self.entries.iter().any(|found| {
            is_true(found, "Egress") == egress
                && number(found, "RuleNumber") == Some(entry.number.into())
        });
        format!(
            "aws ec2 {}-network-acl-entry --network-acl-id {} {} --rule-number {} --rule-action {} --protocol tcp \
             --port-range From={},To={} --cidr-block {}",
            if is_taken { "replace" } else { "create" },
            self.id,
            if egress { "--egress" } else { "--ingress" },
            entry.number,
            entry.action,
            entry.ports.first(),
            entry.ports.last(),
            entry.cidr,
        )
    }

    fn shut(&self, direction: Direction, entry: &AclEntry, findings: &mut Findings) {
        let id = self.id;
        let way = match direction {
            Direction::Inbound => "in from",
            Direction::Outbound => "out to",
        };
        let (code, why) = if entry.ports == Ports::EPHEMERAL {
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
        findings
            .error(
                code,
                format!("the ACL {id} lets nothing {way} {cidr} on {ports}"),
            )
            .causes("connections are opened and never answered: they time out")
            .why(why)
            .mend(self.put(direction, entry));
    }
}

/// An address of a network that is neither its first nor, if there are more, its last.
fn inside(cidr: Cidr) -> Ipv4Addr {
    if cidr.prefix_len() == 0 {
        return ANYONE;
    }
    Ipv4Addr::from(u32::from(cidr.network()).saturating_add(u32::from(cidr.prefix_len() < 31)))
}
