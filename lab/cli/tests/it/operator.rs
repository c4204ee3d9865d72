//! The operator's tool on a lab, with the environment of `cargo lab env`.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use lab_runner::part::PartName;
use reqwest::StatusCode;
use serde_json::Value;

use crate::test_lab::{TestLab, assert_success, text};

const TIMEOUT: Duration = Duration::from_secs(45);

/// Runs payctl as that user of the database.
pub fn payctl(lab: &TestLab, user: &str, arguments: &[&str]) -> Output {
    command(lab, user, arguments).output().unwrap()
}

fn command(lab: &TestLab, user: &str, arguments: &[&str]) -> Command {
    let env = lab.run(&["env", "--user", user]);
    assert_success(&env);
    let env = String::from_utf8(env.stdout).unwrap();
    let variables = env.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
        Some((name.to_owned(), value.trim_matches('\'').to_owned()))
    });
    let programs = Path::new(env!("CARGO_BIN_EXE_lab")).parent().unwrap();
    let mut command = Command::new(programs.join("payctl"));
    command.args(arguments).env_clear().envs(variables);
    command
}

#[tokio::test]
async fn p2_an_operator_proves_a_lab_finds_what_is_missing_and_replays_its_dead_letters() {
    let lab = TestLab::up();
    // While every invocation is killed, neither events nor the sweep make rows.
    assert_success(&lab.run(&["fault", "lambda", "kill", "--ms", "0"]));
    let body = r#"{"id":"dead","transaction":"operator","amount":"5.00"}"#;
    assert_eq!(lab.post(body).await.status, StatusCode::ACCEPTED);

    let missing = payctl(&lab, "reader", &["reconcile", "--settle", "0"]);
    assert_eq!(missing.status.code(), Some(1), "{}", text(&missing));

    let select = "SELECT payment_id FROM payments.transactions WHERE transaction = 'operator'";
    let deadline = Instant::now() + TIMEOUT;
    while lab.select(select).await != ["dead"] {
        let replayed = payctl(&lab, "ingest", &["replay", "--dead-letters"]);
        // 2: another dead letter arrived at the last moment.
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

/// The database goes down in the middle of an audit, then S3 does: at the first finding, with the rest to come.
#[tokio::test]
async fn p2_an_audit_whose_server_ends_tells_what_it_found_and_is_not_clean() {
    let lab = TestLab::up();
    let objects = 6;
    for number in 0..objects {
        let body = format!(r#"{{"id":"audit-{number}","transaction":"audit"}}"#);
        assert_eq!(lab.post(body).await.status, StatusCode::ACCEPTED);
        let select = "SELECT COUNT(*) FROM payments.transactions WHERE transaction = 'audit'";
        let recorded = (number + 1).to_string();
        lab.until_selected(select, &[&recorded], TIMEOUT).await;
    }
    let admin = lab.lab.database().unwrap().admin();
    // The object with the first key is checked first.
    let first = "DELETE FROM payments.transactions ORDER BY object_key LIMIT 1";
    admin.query(first).await.unwrap();
    let slow = ["fault", "s3", "latency", "--ms", "1000"];
    assert_success(&lab.run(&slow));

    let ended_by_mysql = audit_until(&lab, || {
        assert_success(&lab.run(&["fault", "mysql", "down"]));
    });
    check_unfinished(&ended_by_mysql);
    assert_success(&lab.run(&["fault", "mysql", "down", "--off"]));
    lab.until_part(PartName::Mysql, |part| part.state == "healthy")
        .await;
    let ended_by_s3 = audit_until(&lab, || {
        lab.lab.dir.hold(PartName::S3).set(None).unwrap();
        assert_success(&lab.run(&["kill", "s3"]));
    });
    check_unfinished(&ended_by_s3);
    lab.lab.dir.hold(PartName::S3).lift().unwrap();
}

/// Runs an audit until the first finding, then calls `then` while most objects are still to come. Returns the last
/// line.
fn audit_until(lab: &TestLab, then: impl FnOnce()) -> Value {
    let arguments = ["reconcile", "--settle", "0", "--json", "--jobs", "2"];
    let mut audit = command(lab, "reader", &arguments);
    // As a role whose requests faults apply to: the operator's own requests are spared.
    let role = &lab.lab.credentials.aws.lambda;
    audit.env("AWS_ACCESS_KEY_ID", &role.id);
    audit.env("AWS_SECRET_ACCESS_KEY", role.secret.expose());
    let mut audit = audit.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(audit.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    assert!(first.contains("row_missing"), "{first}");
    then();
    let last = lines.map(Result::unwrap).last().unwrap();
    assert_eq!(audit.wait().unwrap().code(), Some(2), "{last}");
    serde_json::from_str(&last).unwrap()
}

fn check_unfinished(summary: &Value) {
    assert_eq!(summary["outcome"], "unfinished", "{summary}");
    assert_eq!(summary["differences"], 1, "{summary}");
    assert!(summary["unread"].as_u64().unwrap() > 0, "{summary}");
    assert_ne!(summary["not_covered"], Value::Array(Vec::new()));
}
