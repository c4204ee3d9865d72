//! The API matches its description, whatever is sent.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use lab_runner::{install, part::PartName, workspace::Workspace};

use crate::test_lab::{TestLab, assert_success, text};

/// Requirement for pip.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Duration of the whole run: it always ends in time, and tries as much as fits.
const SECONDS: &str = "45";

/// Checks: no 5xx, no undocumented status, no body or header that violates its schema, no invalid request accepted.
///
/// One check is disabled: that everything that fits the schema is accepted. It would report rules between two places,
/// which the schema cannot express: body and header must have the same id, and an amount has no more decimals than its
/// currency.
#[test]
fn schemathesis_finds_nothing_that_is_not_as_described() {
    let schemathesis = installed(&Workspace::find().unwrap().tools().join("schemathesis"));
    let lab = TestLab::up();
    let output = Command::new(schemathesis)
        .arg("run")
        .arg(format!("{}/openapi.json", lab.lab.url(PartName::Alb)))
        .args(["--max-time", SECONDS, "--seed", "1", "--no-color"])
        .args(["--exclude-checks", "positive_data_acceptance"])
        .args(["--continue-on-failure", "--generation-database", "none"])
        .args(["--request-timeout", "10"])
        .current_dir(lab.dir())
        .output()
        .unwrap();
    assert_success(&output);
    assert!(text(&output).contains("Tested: 4"), "{}", text(&output));
}

/// Returns the program, in a virtual environment that is created once.
fn installed(dir: &Path) -> PathBuf {
    let (program, done) = (dir.join("bin/schemathesis"), dir.join("installed"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == SCHEMATHESIS) {
        return program;
    }
    let python = install::program("python3").unwrap();
    let venv = || {
        let mut venv = Command::new(&python);
        venv.args(["-m", "venv", "--clear"]).arg(dir).output()
    };
    if !venv().unwrap().status.success() {
        // A separate package on Debian.
        let install = [
            "install",
            "--yes",
            "--no-install-recommends",
            "python3-venv",
        ];
        let output = Command::new("apt-get").args(install).output().unwrap();
        assert_success(&output);
        assert_success(&venv().unwrap());
    }
    let pip = ["-m", "pip", "install", "--quiet", SCHEMATHESIS];
    let output = Command::new(dir.join("bin/python")).args(pip).output();
    assert_success(&output.unwrap());
    fs::write(done, SCHEMATHESIS).unwrap();
    program
}
