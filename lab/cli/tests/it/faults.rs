//! `cargo lab fault`: switches a fault on, shows its effect, and switches it off.

use std::time::Duration;

use lab_runner::{database::User, part::PartName};
use reqwest::StatusCode;

use crate::test_lab::{TestLab, assert_success, text};

#[tokio::test]
async fn p5_a_fault_is_felt_until_it_is_switched_off() {
    let lab = TestLab::up_with(&["--relay"]);
    let payment = |id: &str| format!(r#"{{"id":"{id}","transaction":"fault"}}"#);

    assert_success(&lab.run(&["fault", "s3", "access-denied"]));
    let refused = lab.post(payment("denied")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.header("retry-after").is_some());
    assert_success(&lab.run(&["fault", "s3", "access-denied", "--off"]));
    lab.until_accepted(&payment("allowed")).await;

    assert_success(&lab.run(&["fault", "mysql", "read-only"]));
    let select = "SELECT @@read_only";
    assert_eq!(lab.select(select).await, ["1"]);
    let accepted = lab.post(payment("read-only")).await;
    assert_eq!(accepted.status, StatusCode::ACCEPTED);
    assert_success(&lab.run(&["fault", "--off"]));
    assert_eq!(lab.select(select).await, ["0"]);
    let rows = "SELECT payment_id FROM payments.transactions WHERE transaction = 'fault' ORDER BY payment_id";
    let timeout = Duration::from_secs(90);
    lab.until_selected(rows, &["allowed", "read-only"], timeout)
        .await;
}

#[tokio::test]
async fn a_database_that_is_held_down_comes_back_as_told() {
    let lab = TestLab::up();
    let before = lab.part(PartName::Mysql).pid;
    assert_success(&lab.run(&["fault", "mysql", "down"]));
    lab.until_part(PartName::Mysql, |part| part.pid.is_none())
        .await;
    assert!(lab.sql_as(User::Reader, "SELECT 1").await.is_err());
    assert_success(&lab.run(&["fault", "mysql", "down", "--off"]));
    let back = lab
        .until_part(PartName::Mysql, |part| part.state == "healthy")
        .await;
    assert_ne!(back.pid, before);
}

/// The command that started it is killed, so only the supervisor can end it.
#[tokio::test]
async fn p5_a_fault_ends_though_the_command_that_began_it_was_killed() {
    let lab = TestLab::up();
    for (kind, is_on) in [("freeze", "SELECT 1"), ("read-only", "SELECT @@read_only")] {
        let mut command = lab.start(&["fault", "mysql", kind, "--for", "3"]);
        let list = ["fault", "mysql"];
        lab.until(|| text(&lab.run(&list)).contains("on (100 %)"))
            .await;
        command.kill().unwrap();
        command.wait().unwrap();
        lab.until(|| !text(&lab.run(&list)).contains("on (100 %)"))
            .await;
        let timeout = Duration::from_secs(30);
        let over = if kind == "freeze" { "1" } else { "0" };
        lab.until_selected(is_on, &[over], timeout).await;
    }
}

#[test]
fn what_does_not_exist_is_refused_with_what_does() {
    let lab = TestLab::up();
    let unknown = lab.run(&["fault", "s3", "flood"]);
    assert!(!unknown.status.success());
    assert!(text(&unknown).contains("slow-down"), "{}", text(&unknown));
    let unknown = lab.run(&["fault", "mysql", "flood"]);
    assert!(text(&unknown).contains("read-only"), "{}", text(&unknown));
    let no_relay = lab.run(&["fault", "relay", "web-a-cut"]);
    assert!(text(&no_relay).contains("--relay"), "{}", text(&no_relay));
    let list = lab.run(&["fault"]);
    assert_success(&list);
    for kind in ["event-drop", "throttle", "too-many-connections"] {
        assert!(text(&list).contains(kind), "{}", text(&list));
    }
}
