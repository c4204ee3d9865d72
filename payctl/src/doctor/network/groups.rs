//! Security groups: who may open a connection to whom.

use aws_model::network::{Direction, Group, GroupRule, Network, Peer};
use serde_json::Value;

use super::within;
use crate::doctor::account::{Account, Call};
use crate::doctor::json::{list, number, text};
use crate::doctor::{Findings, Names};

/// One peer of one permission.
#[derive(Debug, PartialEq, Eq)]
struct Rule {
    /// `-1` is every protocol.
    protocol: String,
    from: i64,
    to: i64,
    peer: String,
}

pub fn check(account: &Account, names: &Names, vpc: &str, findings: &mut Findings) {
    if account.known(&Call::Groups).is_none() {
        return;
    }
    for group in &names.network.groups {
        let name = group.name.as_str();
        let Some(found) = find(account, vpc, name) else {
            findings.error("group-missing", format!("{vpc} has no security group named {name}"))
                    .causes(format!("the {} can't be reached, or is open to more than it should be", group.about))
                    .why("each part has a group of its own, which the others name")
                    .mend(format!(
                        "aws ec2 create-security-group --vpc-id {vpc} --group-name '{name}' --description '{}'",
                        group.about
                    ));
            continue;
        };
        for direction in [Direction::Inbound, Direction::Outbound] {
            let side = Side {
                account,
                network: &names.network,
                vpc,
                group,
                id: text(found, "GroupId"),
                direction,
            };
            side.check(&rules(found, direction), findings);
        }
    }
}

pub fn find<'a>(account: &'a Account, vpc: &'a str, name: &str) -> Option<&'a Value> {
    within(account, &Call::Groups, "SecurityGroups", vpc)
        .find(|group| text(group, "GroupName") == name || crate::doctor::json::name(group) == name)
}

fn rules(group: &Value, direction: Direction) -> Vec<Rule> {
    let member = match direction {
        Direction::Inbound => "IpPermissions",
        Direction::Outbound => "IpPermissionsEgress",
    };
    let mut rules = Vec::new();
    for permission in list(group, member) {
        for (peers, peer) in [
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        ] {
            rules.extend(list(permission, peers).iter().map(|found| Rule {
                protocol: text(permission, "IpProtocol").to_owned(),
                from: number(permission, "FromPort").unwrap_or(0),
                to: number(permission, "ToPort").unwrap_or(65_535),
                peer: text(found, peer).to_owned(),
            }));
        }
    }
    rules
}

/// One direction of one group.
struct Side<'a> {
    account: &'a Account,
    network: &'a Network,
    vpc: &'a str,
    group: &'a Group,
    id: &'a str,
    direction: Direction,
}

impl Side<'_> {
    fn check(&self, found: &[Rule], findings: &mut Findings) {
        let wanted = self.group.rules(self.direction).iter();
        let wanted = wanted.filter(|rule| self.network.is_there(rule.only));
        let wanted: Vec<_> = wanted.map(|rule| self.rule(rule)).collect();
        for rule in wanted.iter().filter(|rule| !found.contains(rule)) {
            self.missing(rule, findings);
        }
        for rule in found.iter().filter(|rule| !wanted.contains(rule)) {
            if !self.is_to_endpoint(rule) {
                self.too_much(rule, findings);
            }
        }
    }

    /// Endpoints in the VPC, such as those of Systems Manager, are nobody's way out of it.
    fn is_to_endpoint(&self, rule: &Rule) -> bool {
        let endpoints = within(self.account, &Call::Endpoints, "VpcEndpoints", self.vpc);
        let mut groups = endpoints.flat_map(|endpoint| list(endpoint, "Groups"));
        rule.from == 443
            && rule.to == 443
            && groups.any(|group| text(group, "GroupId") == rule.peer)
    }

    /// Returns the rule with ids in place of names.
    fn rule(&self, rule: &GroupRule) -> Rule {
        let peer = match &rule.peer {
            Peer::Cidr(cidr) => cidr.to_string(),
            Peer::Group(name) => {
                let group = find(self.account, self.vpc, name.as_str());
                group.map_or_else(
                    || name.to_string(),
                    |group| text(group, "GroupId").to_owned(),
                )
            }
            Peer::PrefixList(_) => {
                let lists = list(self.account.value(&Call::PrefixLists), "PrefixLists");
                let id = lists.first().map(|list| text(list, "PrefixListId"));
                id.unwrap_or("S3's prefix list").to_owned()
            }
        };
        Rule {
            protocol: rule.protocol.to_string(),
            from: rule.ports.first().into(),
            to: rule.ports.last().into(),
            peer,
        }
    }

    fn missing(&self, rule: &Rule, findings: &mut Findings) {
        let Self { group, .. } = self;
        let (code, way) = match self.direction {
            Direction::Inbound => ("group-link-missing", "from"),
            Direction::Outbound => ("group-way-out-missing", "to"),
        };
        findings
            .error(
                code,
                format!(
                    "{} ({}) lets nothing {way} {} on port {}",
                    group.name, self.id, rule.peer, rule.from
                ),
            )
            .causes("connections time out: 504 from the load balancer, or rows that never come")
            .why(format!(
                "the {} has to talk with {} there, and a group lets through what it names alone",
                group.about, rule.peer
            ))
            .mend(self.command("authorize", rule));
    }

    fn too_much(&self, rule: &Rule, findings: &mut Findings) {
        let Self { group, .. } = self;
        let ports = if rule.protocol == "-1" {
            "every port".to_owned()
        } else if rule.from == rule.to {
            format!("port {}", rule.from)
        } else {
            format!("ports {} to {}", rule.from, rule.to)
        };
        let all = rule.protocol == "-1";
        let ssh = all || (rule.from <= 22 && 22 <= rule.to);
        let finding = match self.direction {
            Direction::Inbound if ssh && !all => findings
                .error(
                    "ssh-open",
                    format!(
                        "{} ({}) lets {} in on {ports}",
                        group.name, self.id, rule.peer
                    ),
                )
                .causes("whoever gets a key, or finds a fault of sshd, is on the machine")
                .why("shells go by SSM Session Manager, which needs no port"),
            Direction::Inbound => findings
                .error(
                    "group-too-open",
                    format!(
                        "{} ({}) lets {} in on {ports}",
                        group.name, self.id, rule.peer
                    ),
                )
                .causes(format!(
                    "{} reaches the {}, past what stands before it",
                    rule.peer, group.about
                ))
                .why("each part is to be reached from the one before it alone"),
            Direction::Outbound => findings
                .warning(
                    "group-way-out-too-open",
                    format!(
                        "{} ({}) lets out to {} on {ports}",
                        group.name, self.id, rule.peer
                    ),
                )
                .causes("who gets into a machine can send what is there anywhere")
                .why("a new group lets everything out until that rule is taken away"),
        };
        finding.mend(self.command("revoke", rule));
    }

    fn command(&self, verb: &str, rule: &Rule) -> String {
        let direction = match self.direction {
            Direction::Inbound => "ingress",
            Direction::Outbound => "egress",
        };
        let Rule {
            protocol,
            from,
            to,
            peer,
        } = rule;
        let peers = if peer.starts_with("sg-") {
            format!("UserIdGroupPairs=[{{GroupId={peer}}}]")
        } else if peer.starts_with("pl-") {
            format!("PrefixListIds=[{{PrefixListId={peer}}}]")
        } else if peer.contains("::") {
            format!("Ipv6Ranges=[{{CidrIpv6={peer}}}]")
        } else {
            format!("IpRanges=[{{CidrIp={peer}}}]")
        };
        let ports = match protocol.as_str() {
            "-1" => String::new(),
            _ => format!("FromPort={from},ToPort={to},"),
        };
        format!(
            "aws ec2 {verb}-security-group-{direction} --group-id {} --ip-permissions \
             'IpProtocol={protocol},{ports}{peers}'",
            self.id
        )
    }
}
