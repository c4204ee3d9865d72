//! `cargo lab test` runs what it says, with a database that is removed afterwards.
//!
//! cargo itself is a fake: the real one would run these very tests again.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use lab_runner::install::{DATABASE, mysql};
use tempfile::TempDir;

use crate::test_lab::{assert_success, text};

/// Records each call, and whether a database answers there; fails for the step named by `FAIL`.
const CARGO: &str = r#"#!/bin/sh
echo "$*" >> "$NOTES/calls"
if [ -n "$DATABASE_URL" ]; then
    echo "$DATABASE_URL" >> "$NOTES/urls"
    echo "$LAB_DATABASE" >> "$NOTES/servers"
    rest=${DATABASE_URL#mysql://root:}
    at=${rest#*@}
    address=${at%/mysql}
    MYSQL_PWD=${rest%%@*} "$CLIENT" --no-defaults --protocol=tcp --user=root \
        --host="${address%:*}" --port="${address#*:}" \
        --execute="CREATE DATABASE IF NOT EXISTS made_by_a_test" || exit 3
fi
[ "$1" != "$FAIL" ]
"#;

fn lab_test(notes: &Path, fail: &str, filters: &[&str]) -> Command {
    let cargo = notes.join("cargo");
    fs::write(&cargo, CARGO).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let client = ["mariadb", "mysql"]
        .into_iter()
        .find_map(lab_runner::install::find);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lab"));
    command
        .arg("test")
        .args(filters)
        .env_remove("DATABASE_URL")
        .env_remove(DATABASE)
        .env("CARGO", cargo)
        .env("NOTES", notes)
        .env("CLIENT", client.unwrap())
        .env("FAIL", fail);
    command
}

fn calls(notes: &Path) -> Vec<String> {
    let calls = fs::read_to_string(notes.join("calls")).unwrap();
    let words = calls.lines().filter_map(|call| call.split(' ').next());
    words.map(str::to_owned).collect()
}

#[test]
fn every_step_runs_in_order_and_the_database_is_gone_after_the_last() {
    let notes = TempDir::new().unwrap();
    let output = lab_test(notes.path(), "none", &["--full"])
        .output()
        .unwrap();
    assert_success(&output);

    let calls = calls(notes.path());
    assert_eq!(calls[..4], ["fmt", "clippy", "doc", "build"]);
    let tests = &calls[4..];
    assert!(
        tests
            .iter()
            .all(|call| ["nextest", "test"].contains(&call.as_str()))
    );
    let text = text(&output);
    let summary = text.lines().last().unwrap();
    assert!(summary.starts_with("ok: format, lints, docs, build, database, tests"));

    let noted = |file| fs::read_to_string(notes.path().join(file)).unwrap();
    let servers = noted("servers");
    if mysql::is_possible().is_ok() {
        assert_eq!(servers, "mariadb\nmysql\n", "{text}");
    } else {
        assert!(text.contains("! nothing is tested on MySQL"), "{text}");
    }
    let urls = noted("urls");
    assert_eq!(
        (urls.lines().count(), servers.lines().count()),
        (tests.len(), tests.len())
    );
    for url in urls.lines() {
        let address = url.split(['@', '/']).nth(3).unwrap();
        assert!(std::net::TcpStream::connect(address).is_err(), "{address}");
    }
}

#[test]
fn the_first_step_that_fails_is_named_and_is_the_last() {
    let notes = TempDir::new().unwrap();
    let output = lab_test(notes.path(), "clippy", &["--full"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("lints failed: exit status: 1"));
    assert_eq!(calls(notes.path()), ["fmt", "clippy"]);
}

#[test]
fn without_full_only_the_short_tests_run() {
    let notes = TempDir::new().unwrap();
    let output = lab_test(notes.path(), "none", &[]).output().unwrap();
    assert_success(&output);
    assert_eq!(calls(notes.path())[0], "build");
    assert_eq!(calls(notes.path()).len(), 2);
    let calls = fs::read_to_string(notes.path().join("calls")).unwrap();
    assert!(!calls.contains("--ignore-default-filter"), "{calls}");
}

#[test]
fn with_a_filter_the_tests_of_that_name_run_long_ones_too() {
    let notes = TempDir::new().unwrap();
    let output = lab_test(notes.path(), "none", &["p1_"]).output().unwrap();
    assert_success(&output);
    let calls = fs::read_to_string(notes.path().join("calls")).unwrap();
    assert!(calls.trim_end().ends_with("p1_"), "{calls}");
}

#[test]
fn a_package_is_built_and_tested_alone() {
    let notes = TempDir::new().unwrap();
    let output = lab_test(notes.path(), "none", &["-p", "payment-core"])
        .output()
        .unwrap();
    assert_success(&output);
    let calls = fs::read_to_string(notes.path().join("calls")).unwrap();
    assert_eq!(calls.lines().count(), 1, "{calls}");
    assert!(calls.contains("-p payment-core"), "{calls}");
}
