//! `payctl doctor` on an account that the notes created, in moto: it finds nothing. Then each fault is made in turn,
//! and doctor finds exactly that one.

mod faults;

use std::path::Path;

use lab_runner::{output, workspace::Workspace};
use lab_tasks::notes::{
    Runbook,
    session::{Outcome, Session},
};
use serde_json::Value;

use self::faults::{Fault, PRELUDE};
use crate::workspace::root;

/// The pages up to the one that hands the instances over to AWS.
const PAGES: std::ops::RangeInclusive<u8> = 0..=16;

const AREAS: &str = "network balancers instances bucket function database iam alarms";

#[tokio::test]
async fn each_fault_of_an_account_is_found_and_nothing_on_a_right_one() {
    let workspace = Workspace::find().unwrap();
    let runbook = Runbook::prepare(&workspace).await.unwrap();
    runbook.run(PAGES).await.unwrap();
    let mut shell = Shell(runbook.account().session(root()).unwrap());
    shell.run(". deploy-notes/settings.sh").await;
    shell.run(PRELUDE).await;
    assert_eq!(shell.doctor(AREAS).await, [""; 0], "on a right account");
    for fault in faults::all() {
        shell.run(fault.make).await;
        assert_eq!(
            shell.doctor(fault.area).await,
            fault.found,
            "{}",
            fault.make
        );
        shell.run(fault.undo).await;
        output::say(format_args!("found {:?}", fault.found));
    }
    assert_eq!(shell.doctor(AREAS).await, [""; 0], "after the last fault");
    runbook.end().await;
}

#[test]
fn at_least_forty_kinds_of_fault_are_made() {
    let mut codes: Vec<_> = faults::all()
        .flat_map(|fault: &Fault| fault.found)
        .collect();
    codes.sort_unstable();
    codes.dedup();
    assert!(codes.len() >= 40, "{codes:?}");
}

struct Shell(Session);

impl Shell {
    async fn run(&mut self, script: &str) -> String {
        match self.0.run(script).await.unwrap() {
            Outcome::Done(seen) => seen,
            other => panic!("{script}\n{other:?}"),
        }
    }

    /// Returns the codes of the findings in these areas. Fails if something could not be checked.
    async fn doctor(&mut self, areas: &str) -> Vec<String> {
        let payctl = Path::new(env!("CARGO_BIN_EXE_lab")).with_file_name("payctl");
        let script = format!(
            "LOG_BUCKET=$BUCKET {} doctor --json {areas} || [ $? = 1 ]",
            payctl.display()
        );
        let printed = self.run(&script).await;
        let mut codes = Vec::new();
        for line in printed.lines() {
            let finding: Value =
                serde_json::from_str(line).unwrap_or_else(|_| panic!("{areas}: {line}"));
            assert!(finding["note"].is_null(), "{areas}: {finding}");
            for member in ["what", "causes", "why", "mend"] {
                assert!(!finding[member].as_str().unwrap().is_empty(), "{finding}");
            }
            codes.push(finding["code"].as_str().unwrap().to_owned());
        }
        codes.sort();
        codes
    }
}
