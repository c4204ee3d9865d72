use super::*;

const TEXT: &str = include_str!("../../../../deploy-notes/network.toml");

/// Who reaches whom, as the notes have it.
const TABLE: &str = r"| from \ to | ALB:80 | web:3000 | ILB:3000 | app:3000 | RDS:3306 | S3 |
| --- | --- | --- | --- | --- | --- | --- |
| internet | yes | no | no | no | no | no |
| external ALB | | yes | no | no | no | no |
| web tier | no | no | yes | no | no | no |
| internal ALB | no | no | | yes | no | no |
| app tier | no | no | no | no | yes (reader) | put `transactions/*` |
| Lambda | no | no | no | no | yes (ingest) | get, list `transactions/*` |
| RDS | no | no | no | no | | no |
";

fn network() -> Network {
    Network::parse(TEXT).unwrap()
}

/// The network with one passage of its text changed.
fn changed(from: &str, to: &str) -> Network {
    Network::parse(&edited(from, to)).unwrap()
}

fn edited(from: &str, to: &str) -> String {
    assert_eq!(TEXT.matches(from).count(), 1, "{from}");
    TEXT.replace(from, to)
}

fn findings(network: &Network) -> Vec<String> {
    network.audit().iter().map(Finding::to_string).collect()
}

fn refusal(from: &str, to: &str) -> String {
    Network::parse(&edited(from, to)).unwrap_err().to_string()
}

#[test]
fn the_rules_make_the_table_that_is_wanted_to_the_last_cell() {
    let network = network();
    assert_eq!(network.wanted().to_string(), TABLE);
    assert_eq!(network.table().to_string(), TABLE);
    assert_eq!(findings(&network), Vec::<String>::new());
}

#[test]
fn the_notes_show_the_table() {
    let page = include_str!("../../../../deploy-notes/reachability.md");
    assert!(page.contains(&format!("\n\n{TABLE}\n")));
}

#[test]
fn the_notes_show_the_picture() {
    let page = include_str!("../../../../deploy-notes/01-network.md");
    let picture = network().picture().to_string();
    let shown = format!("```mermaid\n{picture}```\n");
    assert!(
        page.contains(&shown),
        "cargo lab reach --picture prints it:\n{picture}"
    );
}

#[test]
fn the_picture_shows_every_tier_and_the_port_of_every_flow() {
    let network = network();
    let picture = network.picture().to_string();
    for tier in &network.tiers {
        assert!(picture.contains(tier.name.as_str()), "{}", tier.name);
    }
    assert_eq!(picture.matches("-->").count(), network.flows.len());
    for arrow in [
        r#"internet -->|"80, 443"| external-ALB"#,
        r#"app-tier -->|"3306 as reader"| RDS"#,
        r#"Lambda -->|"443<br>get, list transactions/*<br>by the S3 gateway endpoint"| S3"#,
    ] {
        assert!(picture.contains(arrow), "{picture}");
    }
}

#[test]
fn nat_lets_nobody_in() {
    let mut network = network();
    network.nat_is_on = true;
    assert_eq!(network.table().to_string(), TABLE);
    assert_eq!(findings(&network), Vec::<String>::new());
}

#[test]
fn acls_name_no_range_of_s3_however_many_there_are() {
    let network = network();
    let ranges = network.prefix_lists.iter().flat_map(|list| &list.cidrs);
    let ranges: Vec<_> = ranges.collect();
    assert!(ranges.len() >= 14);
    for acl in &network.acls {
        for entry in acl.inbound.iter().chain(&acl.outbound) {
            assert!(!ranges.contains(&&entry.cidr), "{} {entry:?}", acl.name);
        }
    }
}

#[test]
fn an_acl_over_the_quota_of_aws_is_refused() {
    let entry = r#"    { number = 310, action = "allow", protocol = "tcp", ports = 443, cidr = "0.0.0.0/0" },
"#;
    let more = |numbers: std::ops::Range<u16>| -> String {
        numbers
            .map(|number| entry.replace("310", &number.to_string()))
            .collect()
    };
    changed(entry, &more(311..325));
    assert!(refusal(entry, &more(311..326)).contains("21 entries in one direction"));
}

#[test]
fn entries_that_come_and_go_have_numbers_far_from_all_others() {
    for acl in &network().acls {
        for entry in acl.inbound.iter().chain(&acl.outbound) {
            let comes_and_goes = entry.only != RuleLifetime::Always;
            assert_eq!(
                entry.number >= 1000,
                comes_and_goes,
                "{} {entry:?}",
                acl.name
            );
        }
    }
}

#[test]
fn an_acl_that_takes_answers_from_anywhere_is_named() {
    let deny = r#"    { number = 210, action = "deny", protocol = "tcp", ports = 3306, cidr = "0.0.0.0/0" },
    # Answers"#;
    let mut network = changed(deny, "    # Answers");
    assert_eq!(network.table().to_string(), TABLE, "groups still stop it");
    let hole = "internet is let in to db:3306 by an ACL: ACL Private inbound 300: allow tcp 1024-65535 from 0.0.0.0/0";
    assert_eq!(findings(&network), [hole]);
    // The way out lets in no more than it must, either.
    let deny = r#"    { number = 200, action = "deny", protocol = "tcp", ports = 3000, cidr = "0.0.0.0/0" },
    { number = 210, action = "deny", protocol = "tcp", ports = 3306, cidr = "0.0.0.0/0" },
    { number = 300, action = "allow", protocol = "tcp", ports = "1024-65535", cidr = "10.0.0.0/16" },"#;
    network = changed(deny, "");
    network.nat_is_on = true;
    let hole = "internet is let in to web-a:3000 by an ACL: ACL Public inbound 1000: allow tcp 1024-65535 from 0.0.0.0/0";
    assert!(findings(&network).contains(&hole.to_owned()));
}

#[test]
fn a_denied_port_stops_answers_to_a_load_balancer_but_not_those_of_s3() {
    let answers = r#"    { number = 140, action = "allow", protocol = "tcp", ports = 3306, cidr = "10.0.1.0/24" },
    { number = 150, action = "allow", protocol = "tcp", ports = 3306, cidr = "10.0.2.0/24" },
    { number = 200, action = "deny", protocol = "tcp", ports = 3000, cidr = "0.0.0.0/0" },
    { number = 210, action = "deny", protocol = "tcp", ports = 3306, cidr = "0.0.0.0/0" },
    { number = 300, action = "allow", protocol = "tcp", ports = "1024-65535", cidr = "10.0.0.0/16" },"#;
    let denied = answers.lines().skip(2).collect::<Vec<_>>().join("\n");
    let network = changed(answers, &denied);
    assert_eq!(
        network.may("alb-a", "web-b", 3000).unwrap().to_string(),
        "alb-a does not reach web-b:3000: ACL Public inbound 210: deny tcp 3306 from 0.0.0.0/0 (the way back)"
    );
    assert!(network.may("lambda", "s3", 443).unwrap().reaches());
}

#[test]
fn a_database_open_to_the_web_tier_is_named() {
    let rds = r#"    { protocol = "tcp", ports = 3306, peer = "Lambda SG" },
"#;
    let web = r#"    { protocol = "tcp", ports = 3306, peer = "Web Tier SG" },
"#;
    let network = changed(rds, &format!("{rds}{web}"));
    // Closed on the other side, still.
    assert_eq!(network.table().to_string(), TABLE);
    let open = findings(&network);
    assert!(
        open.iter().any(|finding| finding.contains(
            "web-a is let through to db:3306 by a group: RDS SG inbound allows tcp 3306 from Web Tier SG"
        )),
        "{open:#?}"
    );

    let out = r#"    { protocol = "tcp", ports = 3000, peer = "ILB SG" },
"#;
    let text = edited(rds, &format!("{rds}{web}")).replace(
        out,
        &format!(
            r#"{out}    {{ protocol = "tcp", ports = 3306, peer = "RDS SG" }},
"#
        ),
    );
    let network = Network::parse(&text).unwrap();
    assert_eq!(network.table().to_string(), TABLE, "the ACL still stops it");
    assert_eq!(
        network.may("web-a", "db", 3306).unwrap().to_string(),
        "web-a does not reach db:3306: ACL Private inbound 210: deny tcp 3306 from 0.0.0.0/0"
    );
}

#[test]
fn each_no_has_its_reason() {
    let network = network();
    let said = |from, to, port| network.may(from, to, port).unwrap().to_string();
    assert_eq!(
        said("web-a", "db", 3306),
        "web-a does not reach db:3306: Web Tier SG outbound has no rule for it"
    );
    assert_eq!(
        said("internet", "app-a", 3000),
        "internet does not reach app-a:3000: app-a has no public address"
    );
    assert_eq!(
        said("app-b", "db", 3306),
        "app-b reaches db:3306: RDS SG inbound allows tcp 3306 from App Tier SG"
    );
    assert_eq!(
        said("app-a", "RDS", 3307),
        "app-a does not reach db:3307: App Tier SG outbound has no rule for it"
    );
    assert!(
        network
            .may("app-a", "redis", 1)
            .unwrap_err()
            .to_string()
            .contains("web-a")
    );
}

#[test]
fn the_way_back_is_checked_port_by_port() {
    let network = changed(
        r#"ports = "1024-65535", cidr = "10.0.0.0/16" },
    { number = 1000"#,
        r#"ports = "1024-40000", cidr = "10.0.0.0/16" },
    { number = 1000"#,
    );
    let verdict = network.may("web-a", "ilb-a", 3000).unwrap();
    assert_eq!(
        verdict.to_string(),
        "web-a does not reach ilb-a:3000: ACL Public inbound *: deny all (the way back)"
    );
}

#[test]
fn only_private_subnets_have_the_way_to_s3() {
    let network = changed(
        r#"{ to = "com.amazonaws.us-west-2.s3", via = "s3-gateway-endpoint" },"#,
        "",
    );
    let verdict = network.may("app-a", "s3", 443).unwrap();
    assert_eq!(
        verdict.to_string(),
        "app-a does not reach s3:443: Private-Route-Table has no route to it"
    );
}

#[test]
fn a_mistake_is_named_with_its_place() {
    let host = r#"{ name = "web-b", subnet = "public-b""#;
    assert_eq!(
        refusal(host, r#"{ name = "web-b", subnet = "public-c""#),
        format!("line {}: there is no subnet public-c", line(host))
    );
    let peer = r#"inbound = [{ protocol = "tcp", ports = 3000, peer = "ALB SG" }]"#;
    assert_eq!(
        refusal(peer, &peer.replace("ALB SG", "ALB-SG")),
        format!(
            "line {}: ALB-SG is no CIDR, group or prefix list",
            line(peer)
        )
    );
    let cidr = r#"cidr = "10.0.2.0/24"
zone"#;
    let text = refusal(cidr, &cidr.replace("10.0.2.0", "10.0.2.5"));
    assert!(
        text.contains("it starts at 10.0.2.0/24") && text.contains("line 19"),
        "{text}"
    );
    assert_eq!(
        refusal(cidr, &cidr.replace("10.0.2.0", "10.0.1.0")),
        "line 19: 10.0.1.0/24 overlaps the subnet public-a"
    );
    let text = refusal(r#"address = "10.0.2.20""#, r#"address = "10.0.2.3""#);
    assert!(text.contains("10.0.2.3 can't be a host's"), "{text}");
    let text = refusal(r#"address = "10.0.2.20""#, r#"address = "10.0.2.10""#);
    assert!(
        text.contains("10.0.2.10 belongs to another host, too"),
        "{text}"
    );
    let text = refusal("number = 310, action", "number = 300, action");
    assert!(text.contains("two entries 300"), "{text}");
    let text = refusal(
        r#"ports = "1024-65535", cidr = "0.0.0.0/0", while"#,
        r#"ports = "65535-1024", cidr = "0.0.0.0/0", while"#,
    );
    assert!(text.contains("is no range of ports"), "{text}");
}

fn line(passage: &str) -> usize {
    TEXT[..TEXT.find(passage).unwrap()].matches('\n').count() + 1
}
