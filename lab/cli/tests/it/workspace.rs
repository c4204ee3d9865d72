//! Rules about the workspace itself.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PROGRAMS: [&str; 3] = ["web-tier", "app-tier", "lambda-ingest"];

/// What each of the pipeline's crates may depend on, of the workspace's own.
const EDGES: [(&str, &[&str]); 13] = [
    ("aws-model", &[]),
    ("payment-core", &[]),
    ("clients", &["payment-core"]),
    ("payment-store", &["payment-core"]),
    ("program", &[]),
    ("tls", &[]),
    ("aws-clients", &["program"]),
    ("http-service", &["payment-core", "program", "tls"]),
    (
        "database-login",
        &["aws-clients", "payment-store", "program"],
    ),
    (
        "web-tier",
        &["clients", "http-service", "payment-core", "program", "tls"],
    ),
    (
        "app-tier",
        &[
            "aws-clients",
            "database-login",
            "http-service",
            "payment-core",
            "payment-store",
            "program",
        ],
    ),
    (
        "lambda-ingest",
        &[
            "aws-clients",
            "database-login",
            "payment-core",
            "payment-store",
            "program",
        ],
    ),
    (
        "payctl",
        &[
            "aws-clients",
            "aws-model",
            "clients",
            "database-login",
            "lambda-ingest",
            "payment-core",
            "payment-store",
            "program",
            "tls",
        ],
    ),
];

/// Crates that a program must not link, by name prefix.
const FOREIGN: [(&str, &[&str]); 2] = [
    ("web-tier", &["aws-", "sqlx", "lambda_runtime"]),
    ("lambda-ingest", &["axum", "opentelemetry", "prometheus"]),
];

/// The same for the lab's: `lab` is compiled before everyone's first payment.
const LAB_EDGES: [(&str, &[&str]); 6] = [
    ("lab", &["aws-model", "lab-runner", "server-kit"]),
    (
        "lab-runner",
        &[
            "aws-model",
            "clients",
            "payment-store",
            "program",
            "server-kit",
            "tls",
        ],
    ),
    (
        "lab-console",
        &[
            "aws-model",
            "lab-runner",
            "payment-core",
            "payment-store",
            "server-kit",
        ],
    ),
    (
        "lab-chaos",
        &[
            "aws-model",
            "lab-runner",
            "lab-s3",
            "payment-core",
            "server-kit",
            "verdict",
        ],
    ),
    ("lab-bench", &["lab-runner", "payment-core", "server-kit"]),
    ("lab-tasks", &["aws-model", "lab-runner"]),
];

/// Crates that take long to compile, and that `cargo lab up` does not run.
const TOOLS: [&str; 3] = ["lab-chaos", "lab-bench", "lab-tasks"];

pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn dependencies_point_one_way() {
    let packages = packages();
    for (name, allowed) in EDGES.iter().chain(&LAB_EDGES) {
        let package = packages.iter().find(|package| package["name"] == *name);
        for (on, ships) in own_dependencies(package.unwrap()) {
            assert!(!ships || allowed.contains(&on), "{name} depends on {on}");
        }
    }
}

/// The package `lab`'s end-to-end tests, which drive a browser and run the notes, may depend on them.
#[test]
fn no_crate_waits_for_the_tools_of_the_lab() {
    for package in packages() {
        for (on, ships) in own_dependencies(&package) {
            let is_for_tests = package["name"] == "lab" && on == "lab-tasks" && !ships;
            assert!(
                !TOOLS.contains(&on) || is_for_tests,
                "{} depends on {on}",
                package["name"]
            );
        }
    }
}

/// Returns the packages of the workspace from cargo's metadata.
fn packages() -> Vec<Value> {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let mut metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    serde_json::from_value(metadata["packages"].take()).unwrap()
}

/// Returns the workspace packages that a package depends on, and whether also outside its tests.
fn own_dependencies(package: &Value) -> Vec<(&str, bool)> {
    let dependencies = package["dependencies"].as_array().unwrap().iter();
    dependencies
        .filter(|dependency| !dependency["path"].is_null())
        .map(|dependency| {
            let name = dependency["name"].as_str().unwrap();
            (name, dependency["kind"].is_null())
        })
        .collect()
}

#[test]
fn a_program_links_only_what_it_uses() {
    for (program, foreign) in FOREIGN {
        let tree = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
            .args(["--package", program])
            .current_dir(root())
            .output()
            .unwrap();
        let tree = String::from_utf8(tree.stdout).unwrap();
        assert!(tree.starts_with(program), "{tree}");
        for linked in tree.lines() {
            let is_foreign = foreign.iter().any(|begin| linked.starts_with(begin));
            assert!(!is_foreign, "{program} links {linked}");
        }
    }
}

#[test]
fn the_manual_lists_every_variable_that_a_program_reads() {
    let manual = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    let bin = Path::new(env!("CARGO_BIN_EXE_lab")).parent().unwrap();
    for program in PROGRAMS {
        let help = Command::new(bin.join(program))
            .arg("--help")
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        let lines: Vec<_> = help.lines().filter_map(variable).collect();
        assert!(lines.len() >= 3, "{help}");
        for (name, text, default) in lines {
            let row = format!("| {program} | `{name}` | {default} | {text} |");
            assert!(manual.contains(&row), "docs/configuration.md lacks {row}");
        }
    }
}

/// Returns name, text and default of a line of `--help`; `None` for options that every program has.
fn variable(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.strip_prefix("  ")?.split_once(' ')?;
    let (text, default) = rest.trim().strip_suffix(']')?.rsplit_once(" [")?;
    (name != "RUST_LOG" && !name.starts_with("AWS_")).then_some((name, text, default))
}

/// A fault whose test was renamed or removed would still be listed as covered.
#[test]
fn every_test_that_the_table_of_faults_names_is_there() {
    let table = std::fs::read_to_string(root().join("docs/RELIABILITY.md")).unwrap();
    let rows = table
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('`'));
    let quoted = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let tests: Vec<_> = quoted.filter(|name| is_test_name(name)).collect();
    assert!(tests.len() > 40, "{tests:?}");
    let mut code = String::new();
    for folder in [
        "app-tier",
        "crates",
        "lab",
        "lambda-ingest",
        "payctl",
        "web-tier",
    ] {
        read_code(&root().join(folder), &mut code);
    }
    for test in tests {
        assert!(
            code.contains(&format!("fn {test}(")),
            "there is no test {test}"
        );
    }
}

fn is_test_name(text: &str) -> bool {
    text.contains('_') && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read_code(folder: &Path, code: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_code(&path, code);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            code.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}
