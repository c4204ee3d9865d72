//! The VPC on one machine: its rules really block, and its zones really fail.
//!
//! They fail if network namespaces cannot be created; `cargo lab test` then skips them, and says so.

use std::{fs, path::Path, time::Duration};

use lab_runner::{part::PartName, process::Identity, vpc};
use nix::sys::signal::Signal;
use reqwest::StatusCode;
use tempfile::TempDir;

use crate::{
    test_lab::{TestLab, assert_success, run, text},
    workspace::root,
};

const ROW: Duration = Duration::from_secs(20);

/// The sweep, once a minute, makes up for an event that was given up.
const ARRIVAL: Duration = Duration::from_secs(200);

fn namespaces(lab: &TestLab) -> Vec<String> {
    let vpc = lab.lab.vpc.as_ref().unwrap();
    let router = vpc.namespace("");
    let entries = fs::read_dir("/run/netns").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(&router))
        .collect()
}

#[tokio::test]
async fn p1_p2_a_payment_goes_through_the_vpc_and_everyone_reaches_whom_he_must() {
    vpc::is_possible().unwrap();
    let lab = TestLab::up_with(&["--vpc"]);
    let answer = lab.post(r#"{"id": "vpc-1", "transaction": "vpc"}"#).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    let select = "SELECT payment_id FROM payments.transactions WHERE transaction = 'vpc' ORDER BY payment_id";
    lab.until_selected(select, &["vpc-1"], ROW).await;

    let reach = lab.run(&["reach"]);
    assert_success(&reach);
    let printed = text(&reach);
    assert!(printed.contains("every cell is as it must be"), "{printed}");
    assert!(printed.contains("get, list `transactions/*`"), "{printed}");
    let explained = lab.run(&["reach", "--explain", "web-a", "db:3306"]);
    let printed = text(&explained);
    assert!(!explained.status.success());
    assert!(
        printed.contains("Web Tier SG outbound has no rule for it"),
        "{printed}"
    );
    assert!(printed.contains("tried: not reached"), "{printed}");
    let explained = text(&lab.run(&["reach", "--explain", "app-b", "db:3306"]));
    assert!(explained.contains("tried: reached"), "{explained}");

    // The load balancers stop using a zone once its health checks have failed.
    assert_success(&lab.run(&["fault", "zone", "a"]));
    assert!(text(&lab.run(&["fault", "zone"])).contains("a                     on"));
    lab.until_accepted(r#"{"id": "vpc-2", "transaction": "vpc"}"#)
        .await;
    for number in 3..=6 {
        lab.until_accepted(&format!(
            r#"{{"id": "vpc-{number}", "transaction": "vpc"}}"#
        ))
        .await;
    }
    assert_success(&lab.run(&["fault", "zone", "a", "--off"]));
    let rows = ["vpc-1", "vpc-2", "vpc-3", "vpc-4", "vpc-5", "vpc-6"];
    lab.until_selected(select, &rows, ARRIVAL).await;
    lab.until_part(PartName::AppA, |part| part.state == "healthy")
        .await;
    assert_success(&lab.run(&["restart", "web-a"]));
    assert_success(&lab.run(&["reach"]));

    lab.down();
    assert_eq!(namespaces(&lab), Vec::<String>::new());
}

/// The command that cut the zone is killed, so only the supervisor can restore it.
#[tokio::test]
async fn p5_a_zone_comes_back_though_the_command_that_cut_it_was_killed() {
    vpc::is_possible().unwrap();
    let lab = TestLab::up_with(&["--vpc"]);
    let is_cut = || text(&lab.run(&["fault", "zone"])).contains("a                     on");
    let mut command = lab.start(&["fault", "zone", "a", "--for", "3"]);
    lab.until(is_cut).await;
    command.kill().unwrap();
    command.wait().unwrap();
    lab.until(|| !is_cut()).await;
    lab.until_part(PartName::AppA, |part| part.state == "healthy")
        .await;
    lab.until_accepted(r#"{"id": "zone-back", "transaction": "vpc"}"#)
        .await;
}

#[test]
fn what_lets_in_too_much_is_found_and_the_rule_named() {
    vpc::is_possible().unwrap();
    let temp = TempDir::new().unwrap();
    let network = temp.path().join("network.toml");
    let notes = fs::read_to_string(root().join("deploy-notes/network.toml")).unwrap();
    let (web, rds) = (
        r#"    { protocol = "tcp", ports = 3000, peer = "ILB SG" },"#,
        r#"    { protocol = "tcp", ports = 3306, peer = "Lambda SG" },"#,
    );
    let acl =
        r#"number = 150, action = "allow", protocol = "tcp", ports = 3306, cidr = "10.0.4.0/24""#;
    for passage in [web, rds, acl] {
        assert_eq!(notes.matches(passage).count(), 1, "{passage}");
    }
    let open = notes
        .replace(
            web,
            &format!("{web}\n    {{ protocol = \"tcp\", ports = 3306, peer = \"RDS SG\" }},"),
        )
        .replace(
            rds,
            &format!("{rds}\n    {{ protocol = \"tcp\", ports = 3306, peer = \"Web Tier SG\" }},"),
        )
        .replace(acl, &acl.replace("10.0.4.0/24", "0.0.0.0/0"));
    fs::write(&network, open).unwrap();

    let lab = TestLab::up_with(&["--vpc", "--network", network.to_str().unwrap()]);
    let reach = lab.run(&["reach"]);
    let printed = text(&reach);
    assert!(!reach.status.success(), "{printed}");
    for expected in [
        "yes ✗ not no",
        "web-a reaches db:3306: RDS SG inbound allows tcp 3306 from Web Tier SG",
        "internet is let in to db:3306 by an ACL: ACL Private inbound 150: allow tcp 3306 from 0.0.0.0/0 (seen to pass)",
    ] {
        assert!(printed.contains(expected), "{expected}\n{printed}");
    }

    // When killed, it leaves its network behind, which the next command finds.
    let supervisor = lab.supervisor();
    let killed = Identity::of(supervisor).signal(Signal::SIGKILL);
    let is_rootless = lab.lab.vpc.as_ref().unwrap().rootless;
    assert!(killed && (is_rootless || !namespaces(&lab).is_empty()));
    lab.down();
    assert_eq!(namespaces(&lab), Vec::<String>::new());
}

#[test]
fn p1_p2_p4_hold_while_zones_go() {
    vpc::is_possible().unwrap();
    let temp = TempDir::with_prefix("lab-chaos-").unwrap();
    let only = "zone/a,zone/b,kill/app-b,s3/slow-down,s3/event-drop";
    let chaos = [
        "chaos",
        "--no-build",
        "--vpc",
        "--rate",
        "40",
        "--minutes",
        "0.5",
        "--patience",
        "240",
        "--only",
        only,
    ];
    let output = run(temp.path(), &chaos);
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains("every promise held"), "{printed}");
    assert!(
        printed.lines().any(|line| line.starts_with("zone ")),
        "{printed}"
    );
}

#[test]
fn a_network_that_does_not_fit_together_is_refused_with_its_place() {
    vpc::is_possible().unwrap();
    let temp = TempDir::new().unwrap();
    let network = temp.path().join("network.toml");
    fs::write(&network, "region = \"us-west-2\"\nregion = \"us-west-2\"\n").unwrap();
    let up = refused(temp.path(), &network);
    assert!(up.contains("network.toml") && up.contains("line 2"), "{up}");
}

fn refused(dir: &Path, network: &Path) -> String {
    let arguments = [
        "up",
        "--detach",
        "--free-ports",
        "--no-build",
        "--vpc",
        "--network",
    ];
    let output = run(
        dir,
        &[&arguments[..], &[network.to_str().unwrap()]].concat(),
    );
    assert!(!output.status.success());
    text(&output)
}
