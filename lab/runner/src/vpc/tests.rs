use aws_model::network::Network;

use super::*;

const TEXT: &str = include_str!("../../../../deploy-notes/network.toml");

fn network() -> Network {
    Network::parse(TEXT).unwrap()
}

fn group(name: &str) -> String {
    let network = network();
    let group = network.groups.iter().find(|group| group.name == *name);
    rules::of_host(&network, group.unwrap())
}

#[test]
fn a_group_lets_in_its_peers_alone() {
    let rules = group("RDS SG");
    assert!(
        rules.contains("ip saddr { 10.0.4.30 } tcp dport 3306 accept comment \"Lambda SG\""),
        "{rules}"
    );
    assert!(
        rules.contains(
            "ip saddr { 10.0.3.20, 10.0.4.20 } tcp dport 3306 accept comment \"App Tier SG\""
        ),
        "{rules}"
    );
    assert_eq!(rules.matches("policy drop").count(), 2, "{rules}");
    assert_eq!(rules.matches("tcp dport").count(), 2, "{rules}");
}

#[test]
fn what_is_only_there_with_nat_is_not_there_without() {
    assert!(!group("App Tier SG").contains("0.0.0.0/0"));
    let way_back = "ip saddr 0.0.0.0/0 tcp dport 1024-65535 return comment \"1000\"";
    assert!(!rules::of_router(&network()).contains(way_back));
    let mut network = network();
    network.nat_is_on = true;
    assert!(rules::of_router(&network).contains(way_back));
}

#[test]
fn an_acl_denies_before_it_allows() {
    let rules = rules::of_router(&network());
    let at = |rule: &str| rules.find(rule).unwrap();
    let deny = at("ip saddr 0.0.0.0/0 tcp dport 3306 drop comment \"210\"");
    let chain = at("chain acl_Private_inbound");
    let allow = rules[chain..].find("tcp dport 1024-65535 return").unwrap();
    assert!(deny < chain + allow, "{rules}");
}

#[test]
fn the_router_tracks_no_connection() {
    let rules = rules::of_router(&network());
    assert!(rules.contains("notrack"), "{rules}");
    assert!(!rules.contains("ct state"), "{rules}");
}

#[test]
fn every_part_has_a_place_or_none_on_purpose() {
    let network = network();
    for &part in PartName::ALL {
        for host in hosts_of(part) {
            assert!(network.host(host).is_some(), "{part}: {host}");
        }
    }
    for tier in network.tiers.iter().filter(|tier| tier.name != *"internet") {
        for host in &tier.hosts {
            let mut parts = PartName::ALL.iter();
            assert!(
                parts.any(|&part| hosts_of(part).contains(&host.name.as_str())),
                "{}",
                host.name
            );
        }
    }
}
