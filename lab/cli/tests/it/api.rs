//! The interface is as its description says, whatever is sent.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use lab_runner::{install, part::PartName, workspace::Workspace};

use crate::test_lab::{TestLab, assert_success, text};

/// As pip takes it.
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// For the whole run: it always ends in time, with as much tried as fits.
const SECONDS: &str = "45";

/// No 5xx, no status that is not described, no body or header against its schema, no nonsense that is taken.
///
/// Left out is one check, that all that fits the schema is taken. What it reports are rules that hold between two places,
/// which the schema does not state: body and header must name the same id, and an amount has no more decimals than its
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

/// The program, in a virtual environment of its own that is made once.
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
        // Debian has it in a package of its own.
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
