//! The operator's tool on a lab, with what `cargo lab env` gives it.

use std::{
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use reqwest::StatusCode;

use crate::test_lab::{TestLab, assert_success, text};

const PATIENCE: Duration = Duration::from_secs(45);

/// Runs payctl as that user of the database.
fn payctl(lab: &TestLab, user: &str, arguments: &[&str]) -> Output {
    let env = lab.run(&["env", "--user", user]);
    assert_success(&env);
    let env = String::from_utf8(env.stdout).unwrap();
    let variables = env.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    });
    let programs = Path::new(env!("CARGO_BIN_EXE_lab")).parent().unwrap();
    Command::new(programs.join("payctl"))
        .args(arguments)
        .env_clear()
        .envs(variables)
        .output()
        .unwrap()
}

#[tokio::test]
async fn p2_an_operator_proves_a_lab_finds_what_is_missing_and_replays_its_dead_letters() {
    let lab = TestLab::up();
    // While every run is killed, neither events nor the sweep make rows.
    assert_success(&lab.run(&["fault", "lambda", "kill", "--ms", "0"]));
    let body = r#"{"id":"dead","transaction":"operator","amount":"5.00"}"#;
    assert_eq!(lab.post(body).await.status, StatusCode::ACCEPTED);

    let missing = payctl(&lab, "reader", &["reconcile", "--settle", "0"]);
    assert_eq!(missing.status.code(), Some(1), "{}", text(&missing));

    let select = "SELECT payment_id FROM payments.transactions WHERE transaction = 'operator'";
    let deadline = Instant::now() + PATIENCE;
    while lab.select(select).await != ["dead"] {
        let replayed = payctl(&lab, "ingest", &["replay", "--dead-letters"]);
        // 2: another letter came at the last moment.
        let code = replayed.status.code();
        assert!(matches!(code, Some(0 | 2)), "{}", text(&replayed));
        assert!(Instant::now() < deadline, "{}", text(&replayed));
    }

    for command in ["reconcile", "verify"] {
        let clean = payctl(&lab, "reader", &[command, "--settle", "0"]);
        assert_eq!(clean.status.code(), Some(0), "{}", text(&clean));
    }
    let trace = payctl(&lab, "reader", &["trace", "dead"]);
    assert_success(&trace);
    let trace = text(&trace);
    for hop in ["transactions/dt=", "5.00", "USD"] {
        assert!(trace.contains(hop), "{hop} in {trace}");
    }
    let unknown = payctl(&lab, "reader", &["status", "never-sent"]);
    assert_eq!(unknown.status.code(), Some(1), "{}", text(&unknown));
}
