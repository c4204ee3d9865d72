//! Subnets, routes, groups and ACLs, against `deploy-notes/network.toml`.

use aws_model::network::{AclEntry, Direction, Network, Peer, Target};
use serde_json::Value;

use super::{
    findings::{Findings, list, name, text},
    names::Names,
};
use crate::notes::stand_in::{Error, StandIn};

const DIRECTIONS: [Direction; 2] = [Direction::Inbound, Direction::Outbound];

pub async fn check(
    account: &StandIn,
    network: &Network,
    names: &Names,
    findings: &mut Findings,
) -> Result<(), Error> {
    let vpcs = account.ask(&["ec2", "describe-vpcs"]).await?;
    let own = |vpc: &&Value| vpc["IsDefault"] != true;
    let vpcs: Vec<_> = list(&vpcs["Vpcs"]).iter().filter(own).collect();
    let seen = vpcs
        .iter()
        .map(|vpc| format!("{} {}", name(vpc), text(&vpc["CidrBlock"])));
    let expected = format!("{} {}", network.vpc.name, network.vpc.cidr);
    findings.same_set("VPC", [expected], seen);
    let Some(vpc) = vpcs.first() else {
        return Ok(());
    };
    let filter = format!("Name=vpc-id,Values={}", text(&vpc["VpcId"]));
    let of_vpc = async |what| account.ask(&["ec2", what, "--filters", &filter]).await;
    subnets(network, &of_vpc("describe-subnets").await?, findings);
    let tables = of_vpc("describe-route-tables").await?;
    routes(network, names, &tables, findings);
    let groups = of_vpc("describe-security-groups").await?;
    self::groups(network, names, &groups, findings);
    let s3 = s3_ranges(account, network).await?;
    let acls = of_vpc("describe-network-acls").await?;
    self::acls(network, names, &s3, &acls, findings);
    Ok(())
}

fn subnets(network: &Network, answer: &Value, findings: &mut Findings) {
    let expected = network.subnets.iter().map(|subnet| {
        format!(
            "{} {} {}{}",
            subnet.name, subnet.cidr, network.region, subnet.zone
        )
    });
    let seen = list(&answer["Subnets"]).iter().map(|subnet| {
        let [cidr, zone] = [&subnet["CidrBlock"], &subnet["AvailabilityZone"]].map(text);
        format!("{} {cidr} {zone}", name(subnet))
    });
    findings.same_set("subnets", expected, seen);
}

fn routes(network: &Network, names: &Names, answer: &Value, findings: &mut Findings) {
    let local = network
        .route_tables
        .iter()
        .map(|table| (table, vec![format!("{} by local", network.vpc.cidr)]));
    let mut expected = Vec::new();
    for (table, mut routes) in local {
        let there = table
            .routes
            .iter()
            .filter(|route| network.is_there(route.only));
        routes.extend(there.map(|route| format!("{} by {}", route.to, prefix(route.via))));
        expected.extend(
            routes
                .iter()
                .map(|route| format!("{}: {route}", table.name)),
        );
    }
    expected.extend(
        network
            .subnets
            .iter()
            .map(|subnet| format!("{}: {}", subnet.route_table, subnet.name)),
    );
    let own = |table: &&Value| !name(table).is_empty();
    let mut seen = Vec::new();
    for table in list(&answer["RouteTables"]).iter().filter(own) {
        let routes = list(&table["Routes"]).iter().map(|route| {
            let to = [
                &route["DestinationCidrBlock"],
                &route["DestinationPrefixListId"],
            ];
            let to = to
                .into_iter()
                .find(|to| to.is_string())
                .map(|to| names.of(to));
            let via = [&route["NatGatewayId"], &route["GatewayId"]];
            let via = via
                .into_iter()
                .find(|via| via.is_string())
                .map(text)
                .unwrap_or_default();
            let (kind, _) = via.split_once('-').unwrap_or((&via, ""));
            format!("{} by {kind}", to.unwrap_or_default())
        });
        let subnets = list(&table["Associations"])
            .iter()
            .map(|association| names.of(&association["SubnetId"]));
        seen.extend(
            routes
                .chain(subnets)
                .map(|what| format!("{}: {what}", name(table))),
        );
    }
    findings.same_set("route tables", expected, seen);
}

/// What the ids of a route's target start with.
fn prefix(target: Target) -> &'static str {
    match target {
        Target::InternetGateway => "igw",
        Target::S3GatewayEndpoint => "vpce",
        Target::NatGateway => "nat",
    }
}

fn groups(network: &Network, names: &Names, answer: &Value, findings: &mut Findings) {
    let mut expected = Vec::new();
    for group in &network.groups {
        expected.push(format!("{}: {}", group.name, group.about));
        for direction in DIRECTIONS {
            let rules = group.rules(direction).iter();
            let rules = rules.filter(|rule| network.is_there(rule.only));
            expected.extend(rules.map(|rule| {
                format!(
                    "{}: {direction} {} {} {}",
                    group.name, rule.protocol, rule.ports, rule.peer
                )
            }));
        }
    }
    let mut seen = Vec::new();
    let own = |group: &&Value| group["GroupName"] != "default";
    for group in list(&answer["SecurityGroups"]).iter().filter(own) {
        let group_name = text(&group["GroupName"]);
        seen.push(format!("{group_name}: {}", text(&group["Description"])));
        for (direction, member) in DIRECTIONS
            .into_iter()
            .zip(["IpPermissions", "IpPermissionsEgress"])
        {
            for permission in list(&group[member]) {
                let rule = permission_text(permission);
                seen.extend(
                    peers(names, permission)
                        .map(|peer| format!("{group_name}: {direction} {rule} {peer}")),
                );
            }
        }
    }
    findings.same_set("security groups", expected, seen);
}

fn permission_text(permission: &Value) -> String {
    let [protocol, from, to] = [
        &permission["IpProtocol"],
        &permission["FromPort"],
        &permission["ToPort"],
    ]
    .map(text);
    format!("{protocol} {}", range(&from, &to))
}

fn range(from: &str, to: &str) -> String {
    if from == to {
        from.to_owned()
    } else {
        format!("{from}-{to}")
    }
}

fn peers<'a>(names: &'a Names, permission: &'a Value) -> impl Iterator<Item = String> + 'a {
    let members = [
        ("IpRanges", "CidrIp"),
        ("Ipv6Ranges", "CidrIpv6"),
        ("UserIdGroupPairs", "GroupId"),
        ("PrefixListIds", "PrefixListId"),
    ];
    members.into_iter().flat_map(move |(member, id)| {
        list(&permission[member])
            .iter()
            .map(move |peer| names.of(&peer[id]))
    })
}

fn acls(network: &Network, names: &Names, s3: &[String], answer: &Value, findings: &mut Findings) {
    let mut expected = Vec::new();
    for acl in &network.acls {
        let own = network
            .subnets
            .iter()
            .filter(|subnet| subnet.acl == acl.name);
        expected.extend(own.map(|subnet| format!("{}: {}", acl.name, subnet.name)));
        for direction in DIRECTIONS {
            let entries = acl_entries(network, s3, acl.entries(direction));
            expected.extend(
                entries
                    .into_iter()
                    .map(|entry| format!("{}: {direction} {entry}", acl.name)),
            );
        }
    }
    let mut seen = Vec::new();
    let own = |acl: &&Value| acl["IsDefault"] != true;
    for acl in list(&answer["NetworkAcls"]).iter().filter(own) {
        let subnets = list(&acl["Associations"])
            .iter()
            .map(|association| names.of(&association["SubnetId"]));
        seen.extend(subnets.map(|subnet| format!("{}: {subnet}", name(acl))));
        // The last one, which denies everything, is AWS's own.
        let entries = list(&acl["Entries"]).iter();
        let entries = entries.filter(|entry| entry["RuleNumber"].as_u64() < Some(32_767));
        seen.extend(entries.map(|entry| format!("{}: {}", name(acl), entry_text(entry))));
    }
    findings.same_set("ACLs", expected, seen);
}

fn entry_text(entry: &Value) -> String {
    let direction = if entry["Egress"] == true {
        Direction::Outbound
    } else {
        Direction::Inbound
    };
    let [from, to] = [&entry["PortRange"]["From"], &entry["PortRange"]["To"]].map(text);
    let protocol = if entry["Protocol"] == "6" {
        "tcp".to_owned()
    } else {
        text(&entry["Protocol"])
    };
    let [number, action, cidr] = [
        &entry["RuleNumber"],
        &entry["RuleAction"],
        &entry["CidrBlock"],
    ]
    .map(text);
    format!(
        "{direction} {number} {action} {protocol} {} {cidr}",
        range(&from, &to)
    )
}

/// In words. The file names ranges of S3; here are the account's own in their place, numbered on by tens.
fn acl_entries(network: &Network, s3: &[String], entries: &[AclEntry]) -> Vec<String> {
    let is_s3 = |entry: &&AclEntry| {
        network
            .prefix_lists
            .iter()
            .any(|list| list.cidrs.contains(&entry.cidr))
    };
    let words = |number: u16, entry: &AclEntry, cidr: &str| {
        format!(
            "{number} {} {} {} {cidr}",
            entry.action, entry.protocol, entry.ports
        )
    };
    let there = || entries.iter().filter(|entry| network.is_there(entry.only));
    let mut texts: Vec<_> = there()
        .filter(|entry| !is_s3(entry))
        .map(|entry| words(entry.number, entry, &entry.cidr.to_string()))
        .collect();
    if let Some(first) = there().find(is_s3) {
        let numbers = (first.number..).step_by(10);
        texts.extend(
            s3.iter()
                .zip(numbers)
                .map(|(cidr, number)| words(number, first, cidr)),
        );
    }
    texts
}

async fn s3_ranges(account: &StandIn, network: &Network) -> Result<Vec<String>, Error> {
    let wanted = network.route_tables.iter().flat_map(|table| &table.routes);
    let wanted = wanted.filter_map(|route| match &route.to {
        Peer::PrefixList(name) => Some(name.as_str()),
        _ => None,
    });
    let filter = format!(
        "Name=prefix-list-name,Values={}",
        wanted.collect::<Vec<_>>().join(",")
    );
    let lists = account
        .ask(&["ec2", "describe-managed-prefix-lists", "--filters", &filter])
        .await?;
    let id = text(&lists["PrefixLists"][0]["PrefixListId"]);
    let entries = account
        .ask(&[
            "ec2",
            "get-managed-prefix-list-entries",
            "--prefix-list-id",
            &id,
        ])
        .await?;
    Ok(list(&entries["Entries"])
        .iter()
        .map(|entry| text(&entry["Cidr"]))
        .collect())
}
