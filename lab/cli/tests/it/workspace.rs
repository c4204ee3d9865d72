//! What the workspace says of itself holds.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

const PROGRAMS: [&str; 3] = ["web-tier", "app-tier", "lambda-ingest"];

/// What each of the pipeline's crates may depend on, of the workspace's own.
const EDGES: [(&str, &[&str]); 9] = [
    ("aws-model", &[]),
    ("payment-core", &[]),
    ("payment-store", &["payment-core"]),
    ("tier-kit", &["payment-core"]),
    ("web-tier", &["payment-core", "tier-kit"]),
    ("database-login", &["payment-store", "tier-kit"]),
    (
        "app-tier",
        &[
            "database-login",
            "payment-core",
            "payment-store",
            "tier-kit",
        ],
    ),
    (
        "lambda-ingest",
        &[
            "database-login",
            "payment-core",
            "payment-store",
            "tier-kit",
        ],
    ),
    (
        "payctl",
        &[
            "aws-model",
            "database-login",
            "lambda-ingest",
            "payment-core",
            "payment-store",
            "tier-kit",
        ],
    ),
];

pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn dependencies_point_one_way() {
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
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    for (name, allowed) in EDGES {
        let package = packages
            .iter()
            .find(|package| package["name"] == name)
            .unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let (on, is_own) = (
                dependency["name"].as_str().unwrap(),
                !dependency["path"].is_null(),
            );
            let ships = dependency["kind"].is_null();
            assert!(
                !is_own || !ships || allowed.contains(&on),
                "{name} depends on {on}"
            );
        }
    }
}

#[test]
fn the_manual_lists_every_variable_that_a_program_reads() {
    let manual = std::fs::read_to_string(root().join("README.md")).unwrap();
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
            assert!(manual.contains(&row), "README.md lacks {row}");
        }
    }
}

/// Name, text and default of a line of `--help`; `None` for lines that are for every program.
fn variable(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.strip_prefix("  ")?.split_once(' ')?;
    let (text, default) = rest.trim().strip_suffix(']')?.rsplit_once(" [")?;
    (name != "RUST_LOG" && !name.starts_with("AWS_")).then_some((name, text, default))
}

/// A fault whose test was renamed or removed would stand in the table as covered.
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
    for folder in ["app-tier", "crates", "lab", "lambda-ingest", "web-tier"] {
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
