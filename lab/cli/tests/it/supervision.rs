//! A part that dies comes back, a part that is stopped stays down, and data survives both.

use std::{fs, time::Duration};

use lab_runner::{part::PartName, process::Identity};
use nix::sys::signal::Signal;

use crate::test_lab::{Part, TestLab, assert_success, text};

#[tokio::test]
async fn a_killed_part_comes_back_and_a_second_up_says_that_the_lab_runs() {
    let lab = TestLab::up();
    let before = lab.part(PartName::AppA);
    assert_success(&lab.run(&["kill", "app-a"]));
    let after = lab
        .until_part(PartName::AppA, |part| {
            part.state == "healthy" && part.pid != before.pid
        })
        .await;
    assert!(after.pid.is_some());

    let again = lab.run(&["up", "--detach", "--no-build"]);
    assert_success(&again);
    assert!(text(&again).starts_with("the lab runs already\n"));
    assert_eq!(lab.part(PartName::AppA).pid, after.pid);
}

#[tokio::test]
async fn a_load_balancer_that_comes_back_does_not_write_over_its_log() {
    let lab = TestLab::up();
    let log = lab.dir().join("logs/alb.log");
    let before = fs::read_to_string(&log).unwrap();
    assert!(before.contains("POST /pay"), "{before}");

    let killed = lab.part(PartName::Alb);
    assert_success(&lab.run(&["kill", "alb"]));
    let back = |part: &Part| part.state == "healthy" && part.pid != killed.pid;
    lab.until_part(PartName::Alb, back).await;
    assert_eq!(lab.post(r#"{"id": "log-1"}"#).await.status, 202);
    lab.down();

    let after = fs::read_to_string(&log).unwrap();
    let added = after.strip_prefix(&before).unwrap();
    assert!(added.contains("POST /pay"), "{after}");
}

#[tokio::test]
async fn rows_outlive_down_and_up() {
    let mut lab = TestLab::up();
    let payment = r#"{"id": "kept-1", "amount": "12.34"}"#;
    assert_eq!(lab.post(payment).await.status, 202);
    let select = "SELECT amount FROM payments.transactions WHERE payment_id = 'kept-1'";
    let row = ["12.3400"];
    lab.until_selected(select, &row, Duration::from_secs(10))
        .await;

    lab.down();
    lab.up_again();
    assert_eq!(lab.select(select).await, row);
}

#[tokio::test]
async fn down_ends_the_parts_of_a_supervisor_that_was_killed() {
    let lab = TestLab::up();
    let processes = lab.processes();
    let supervisor = Identity::of(lab.supervisor());
    assert!(supervisor.signal(Signal::SIGKILL));
    assert!(supervisor.gone_within(Duration::from_secs(5)).await);

    let status = lab.run(&["status"]);
    assert!(!status.status.success());
    assert!(text(&status).contains("the supervisor is gone"));
    lab.down();
    for process in processes {
        assert!(!process.is_alive(), "{process:?}");
    }
}
