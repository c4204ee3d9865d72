//! What `cargo lab bench` measures reaches its report; speed does not matter here.

use serde_json::Value;
use tempfile::TempDir;

use crate::test_lab::{run, text};

#[test]
fn every_side_is_really_run_and_its_figures_reach_the_report() {
    let temp = TempDir::with_prefix("lab-bench-").unwrap();
    let arguments = ["bench", "alone", "ingest", "function", "--no-build"];
    let pace = ["--rounds", "1", "--seconds", "1"];
    let output = run(temp.path(), &[&arguments[..], &pace].concat());
    assert!(output.status.success(), "{}", text(&output));

    let dir = temp.path().join("bench");
    let json = std::fs::read(dir.join("bench.json")).unwrap();
    let report: Value = serde_json::from_slice(&json).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let figures: Vec<_> = findings
        .iter()
        .flat_map(|finding| finding["figures"].as_array().unwrap())
        .collect();
    for name in [
        "added",
        "one object per event",
        "ten objects per event, by SQS",
        "lambda-ingest",
        "LOAD DATA, one object each",
        "Python, one row per event",
        "Python's function",
    ] {
        let figure = figures.iter().find(|figure| figure["name"] == name);
        let rounds = &figure.unwrap()["rounds"];
        assert!(rounds[0].as_f64().unwrap() > 0.0, "{name}: {rounds}");
    }
    let page = std::fs::read_to_string(dir.join("bench.html")).unwrap();
    assert!(page.contains("a single payment: time that both tiers add"));
    assert!(text(&output).contains("| what "), "{}", text(&output));
}
