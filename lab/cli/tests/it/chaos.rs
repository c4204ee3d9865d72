//! The whole pipeline under faults, judged by what its clients were told.

use tempfile::TempDir;

use crate::test_lab::{run, text};

/// Runs chaos for a short time; returns its output, and whether every promise held.
fn chaos(options: &[&str]) -> (String, bool) {
    let temp = TempDir::with_prefix("lab-chaos-").unwrap();
    let usual = ["chaos", "--no-build", "--rate", "60"];
    let output = run(temp.path(), &[&usual[..], options].concat());
    (text(&output), output.status.success())
}

#[test]
fn p1_p2_p4_hold_under_faults_of_all_kinds() {
    let (printed, held) = chaos(&["--minutes", "0.7", "--seed", "1", "--patience", "200"]);
    assert!(held, "{printed}");
    assert!(printed.contains("every promise held"), "{printed}");
}

#[test]
fn p2_holds_by_way_of_a_queue() {
    let only =
        "s3/event-duplicate,s3/event-reorder,lambda/kill,lambda/answer-lost,kill/lambda,mysql/down";
    let (printed, held) = chaos(&[
        "--minutes",
        "0.3",
        "--seed",
        "2",
        "--patience",
        "200",
        "--via",
        "sqs",
        "--only",
        only,
    ]);
    assert!(held, "{printed}");
}

#[test]
fn p10_each_clients_payments_become_its_rows_under_faults() {
    let only = "kill/web-a,kill/app-a,s3/answer-lost,s3/event-duplicate,lambda/kill,mysql/down";
    let (printed, held) = chaos(&[
        "--minutes",
        "0.3",
        "--seed",
        "4",
        "--patience",
        "200",
        "--clients",
        "--tls",
        "--only",
        only,
    ]);
    assert!(held, "{printed}");
}

/// No payment may be answered with 5xx in such a run.
#[test]
fn p5_faults_behind_the_journal_and_crowds_of_clients_fail_no_payment() {
    let only = "mysql/freeze,relay/mysql-failover,clients/burst,clients/half-sent,clients/polls,journal/poison";
    let (printed, held) = chaos(&[
        "--minutes",
        "0.5",
        "--seed",
        "3",
        "--patience",
        "200",
        "--only",
        only,
    ]);
    assert!(held, "{printed}");
}

#[test]
fn p1_an_accepted_payment_that_was_not_stored_is_found() {
    let (printed, held) = chaos(&[
        "--minutes",
        "0.15",
        "--patience",
        "0",
        "--only",
        "s3/forget",
    ]);
    assert!(!held, "{printed}");
    assert!(printed.contains("lost: c"), "{printed}");
    assert!(printed.contains("a promise broke"), "{printed}");
}

/// Half of the kinds of act, of which a seed draws each once before any again.
#[test]
fn p11_each_act_of_a_saboteur_is_named_and_nothing_else() {
    let temp = TempDir::with_prefix("lab-saboteur-").unwrap();
    let acts = ["chaos", "--no-build", "--saboteur", "40", "--seed", "7"];
    let output = run(temp.path(), &acts);
    let printed = text(&output);
    assert!(output.status.success(), "{printed}");
    assert!(
        printed.contains("every act was named, and nothing else"),
        "{printed}"
    );
}
