//! What is compiled when: `up` waits for nothing that it does not run.
//!
//! A fake cargo records its calls.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use tempfile::TempDir;

use crate::test_lab::{assert_success, text};

/// Runs a command of the lab with a cargo that exits with this status; returns the calls.
fn lab(arguments: &[&str], status: u8) -> (Output, String) {
    let temp = TempDir::with_prefix("lab-on-demand-").unwrap();
    let calls = temp.path().join("calls");
    let cargo = temp.path().join("cargo");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> {}\nexit {status}\n",
        calls.display()
    );
    fs::write(&cargo, script).unwrap();
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(arguments)
        .env("CARGO", cargo)
        .env("LAB_DIR", temp.path().join("lab"))
        .output()
        .unwrap();
    (output, fs::read_to_string(calls).unwrap_or_default())
}

#[test]
fn up_builds_what_it_runs_and_nothing_else() {
    let (output, calls) = lab(&["up", "--no-console"], 1);
    assert!(!output.status.success());
    let expected = "build --release --bin web-tier --bin app-tier --bin lambda-ingest \
                    --bin lab-s3 --bin lab-sqs --bin lab-lambda\n";
    assert_eq!(calls, expected, "{}", text(&output));
}

#[test]
fn a_tool_of_the_lab_is_built_when_its_command_is_asked_for() {
    for (command, program) in [
        ("chaos", "lab-chaos"),
        ("bench", "lab-bench"),
        ("runbook", "lab-tasks"),
        ("dist", "lab-tasks"),
        ("screenshots", "lab-tasks"),
    ] {
        let (output, calls) = lab(&[command, "--help"], 0);
        assert_success(&output);
        assert_eq!(calls, format!("build --release --bin {program}\n"));
        let usage = format!("Usage: cargo lab {command} [OPTIONS]");
        assert!(text(&output).contains(&usage), "{}", text(&output));
    }
}

#[test]
fn a_tool_that_can_not_be_built_is_not_run() {
    let (output, _) = lab(&["chaos", "--help"], 1);
    assert!(
        text(&output).contains("the build failed"),
        "{}",
        text(&output)
    );
}

#[test]
fn wrong_use_of_a_tool_exits_as_wrong_use_of_the_lab_does() {
    for arguments in [["chaos", "--bogus"], ["status", "--bogus"]] {
        let (output, _) = lab(&arguments, 0);
        assert_eq!(output.status.code(), Some(64), "{}", text(&output));
    }
}

/// Programs run as last built.
#[test]
fn without_a_build_no_tool_is_built() {
    let (_, calls) = lab(&["chaos", "--no-build", "--bogus"], 0);
    assert_eq!(calls, "");
}
