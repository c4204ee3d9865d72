//! Every grant is needed: each is removed in turn, and the pipeline fails and names the missing permission.
//!
//! A lab enforces a copy of `deploy-notes/iam/`, from which one action of one statement is removed, or in which one
//! value of one condition is changed. A new grant fails `every_grant_is_taken_away_somewhere` until it is in the table.

mod policy_files;

use std::{collections::BTreeMap, fs, path::Path, time::Duration};

use lab_runner::{output, part::PartName};
use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;

use self::policy_files::{Cut, Grant, copy, cuts, grants};
use crate::test_lab::{TestLab, assert_success};

/// How a missing grant shows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Symptom {
    PaymentsAreRefused,
    RepeatsAreRefused,
    ObjectsAreNotRead,
    SweepFails,
    DeadLettersStay,
    EventsAreNotDelivered,
    QueueIsNotPolled,
    MessagesComeAgain,
    /// Nothing in the lab needs it, for this reason.
    Unfelt(&'static str),
}
use Symptom::*;

const NO_LOGS: &str = "the lab's Lambda writes the function's log to a file";
const NO_VPC: &str = "the lab's Lambda needs no network interface";
const NO_STS: &str = "a trust policy: the lab gives each role a key of its own";
const NO_RDS: &str = "the lab's database has passwords; crates/database-login tests the token";
const NO_SECRETS: &str = "the lab has no Secrets Manager; crates/database-login tests the secret";
const NO_OPERATOR: &str = "the lab's operator is its administrator; payctl's doctor tests the role";
const NO_ACCOUNT: &str = "of AWS's own services, or of instances that fetch: the lab has neither";
const NO_MAPPING: &str =
    "Lambda asks for it when the mapping is made; the lab's is in a configuration";

/// File without `.json`, action, symptom of its absence.
const TABLE: &[(&str, &str, Symptom)] = &[
    ("ec2-s3-access-role", "s3:PutObject", PaymentsAreRefused),
    (
        "ec2-s3-access-role-object-layout",
        "s3:GetObject",
        RepeatsAreRefused,
    ),
    (
        "lambda-fintech-pipeline-role",
        "s3:GetObject",
        ObjectsAreNotRead,
    ),
    ("lambda-fintech-pipeline-role", "s3:ListBucket", SweepFails),
    (
        "lambda-fintech-pipeline-role",
        "sqs:SendMessage",
        DeadLettersStay,
    ),
    (
        "lambda-resource-policy",
        "lambda:InvokeFunction",
        EventsAreNotDelivered,
    ),
    ("queue-policy", "sqs:SendMessage", EventsAreNotDelivered),
    (
        "lambda-fintech-pipeline-role-sqs",
        "sqs:ReceiveMessage",
        QueueIsNotPolled,
    ),
    (
        "lambda-fintech-pipeline-role-sqs",
        "sqs:DeleteMessage",
        MessagesComeAgain,
    ),
    (
        "lambda-fintech-pipeline-role-sqs",
        "sqs:GetQueueAttributes",
        Unfelt(NO_MAPPING),
    ),
    ("operator-role", "*", Unfelt(NO_OPERATOR)),
    ("tier-release", "*", Unfelt(NO_ACCOUNT)),
    ("s3-endpoint-policy", "*", Unfelt(NO_ACCOUNT)),
    ("trail-bucket-policy", "*", Unfelt(NO_ACCOUNT)),
    ("*", "logs:*", Unfelt(NO_LOGS)),
    ("*", "ec2:*", Unfelt(NO_VPC)),
    ("*", "sts:AssumeRole", Unfelt(NO_STS)),
    ("*", "rds-db:connect", Unfelt(NO_RDS)),
    ("*", "secretsmanager:GetSecretValue", Unfelt(NO_SECRETS)),
];

fn symptom(grant: &Grant) -> Option<Symptom> {
    let fits = |pattern: &str, text: &str| match pattern.strip_suffix('*') {
        Some(beginning) => text.starts_with(beginning),
        None => pattern == text,
    };
    let found = TABLE
        .iter()
        .find(|(file, action, _)| fits(file, &grant.file) && fits(action, &grant.action));
    found.map(|(.., symptom)| *symptom)
}

#[test]
fn every_grant_is_taken_away_somewhere() {
    let grants = grants();
    assert!(grants.len() > 20, "{grants:?}");
    for grant in &grants {
        assert!(symptom(grant).is_some(), "not in the table: {grant:?}");
    }
    for (file, action, _) in TABLE.iter().filter(|(file, ..)| *file != "*") {
        let there =
            |grant: &&Grant| grant.file == *file && (*action == "*" || grant.action == *action);
        assert!(grants.iter().any(|grant| there(&grant)), "{file} {action}");
    }
}

#[tokio::test]
async fn p7_without_any_grant_of_the_direct_way_the_pipeline_fails_and_names_it() {
    let options = ["--log-layout", "object"];
    take_each_away(&options, &|grant| {
        !grant.file.ends_with("-sqs") && grant.file != "queue-policy"
    })
    .await;
}

#[tokio::test]
async fn p7_without_any_grant_of_the_way_by_a_queue_the_pipeline_fails_and_names_it() {
    let options = ["--via", "sqs"];
    take_each_away(&options, &|grant| {
        grant.file.ends_with("-sqs") || grant.file == "queue-policy"
    })
    .await;
}

async fn take_each_away(options: &[&str], concerns: &dyn Fn(&Grant) -> bool) {
    let policies = TempDir::new().unwrap();
    copy(policies.path());
    let folder = policies.path().to_str().unwrap();
    let lab = TestLab::up_with(&[options, &["--iam", folder]].concat());
    let mut posted = 0;
    for grant in grants().iter().filter(|grant| concerns(grant)) {
        let symptom = symptom(grant).unwrap();
        if matches!(symptom, Unfelt(_)) {
            continue;
        }
        for cut in cuts(grant) {
            posted += 1;
            let id = format!("grant-{posted}");
            let case = Case {
                lab: &lab,
                grant,
                cut,
                id: &id,
                since: lab.log_lengths(),
            };
            case.run(policies.path(), symptom).await;
        }
    }
    assert!(posted >= 4, "{posted}");
    // With every grant back, what was accepted meanwhile becomes rows.
    let before = "SELECT COUNT(*) FROM payments.transactions WHERE payment_id LIKE 'grant-%'";
    invoke_sweep(&lab).await;
    lab.until_accepted(r#"{"id": "grant-end"}"#).await;
    let end = "SELECT payment_id FROM payments.transactions WHERE payment_id = 'grant-end'";
    lab.until_selected(end, &["grant-end"], Duration::from_secs(30))
        .await;
    assert_ne!(lab.select(before).await, ["1"]);
}

struct Case<'a> {
    lab: &'a TestLab,
    grant: &'a Grant,
    cut: Cut,
    id: &'a str,
    /// Lengths of the logs, so that lines of other cases do not count.
    since: BTreeMap<PartName, usize>,
}

impl Case<'_> {
    async fn run(&self, policies: &Path, symptom: Symptom) {
        let file = policies.join(format!("{}.json", self.grant.file));
        let whole = fs::read(&file).unwrap();
        if symptom == RepeatsAreRefused {
            // Without a row, the other node can know the payment only from S3.
            self.fault_on_runs();
            self.lab.until_accepted(&self.payment()).await;
        }
        self.cut.apply(&file, self.grant);
        self.restart(symptom);
        self.show(symptom).await;
        fs::write(&file, whole).unwrap();
        self.restart(symptom);
        assert_success(&self.lab.run(&["fault", "--off"]));
    }

    fn payment(&self) -> String {
        json!({ "id": self.id, "transaction": "grants" }).to_string()
    }

    /// Makes every invocation of the function fail at once.
    fn fault_on_runs(&self) {
        assert_success(&self.lab.run(&["fault", "lambda", "kill", "--ms", "0"]));
    }

    /// Restarts the parts that must read the file again.
    fn restart(&self, symptom: Symptom) {
        let part = match symptom {
            EventsAreNotDelivered if self.grant.action.starts_with("lambda:") => "lambda",
            EventsAreNotDelivered | DeadLettersStay | QueueIsNotPolled | MessagesComeAgain => "sqs",
            _ => "s3",
        };
        assert_success(&self.lab.run(&["restart", part]));
    }

    async fn show(&self, symptom: Symptom) {
        use PartName::{AppA, AppB, Lambda, S3};
        match symptom {
            PaymentsAreRefused => {
                let answer = self.lab.post(self.payment()).await;
                assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{answer:?}");
                self.until_logged(&[AppA, AppB]).await;
            }
            RepeatsAreRefused => {
                // Ask each node: the one that took it knows it without asking S3.
                let mut refused = 0;
                for _ in 0..4 {
                    let answer = self.lab.post(self.payment()).await;
                    refused += usize::from(answer.status == StatusCode::SERVICE_UNAVAILABLE);
                }
                assert!(refused > 0, "{}", self.id);
                self.until_logged(&[AppA, AppB]).await;
            }
            ObjectsAreNotRead => {
                self.lab.until_accepted(&self.payment()).await;
                self.until_logged(&[Lambda]).await;
            }
            SweepFails => {
                let body = invoke_sweep(self.lab).await;
                assert!(body.contains("errorMessage"), "{body}");
                self.until_logged(&[Lambda]).await;
            }
            DeadLettersStay => {
                self.fault_on_runs();
                self.lab.until_accepted(&self.payment()).await;
                self.until_logged(&[Lambda]).await;
            }
            EventsAreNotDelivered => {
                self.lab.until_accepted(&self.payment()).await;
                self.until_logged(&[S3]).await;
            }
            QueueIsNotPolled | MessagesComeAgain => {
                self.lab.until_accepted(&self.payment()).await;
                self.until_logged(&[Lambda]).await;
            }
            Unfelt(why) => panic!("{why}"),
        }
    }

    /// Waits until one of the parts logs the missing action.
    async fn until_logged(&self, parts: &[PartName]) {
        let action = &self.grant.action;
        output::say(format_args!("{} without {action}: {:?}", self.id, self.cut));
        let denied = |line: &str| line.contains("not authorized") && line.contains(action);
        self.lab.until_logged(parts, &self.since, denied).await;
    }
}

/// Runs the sweep now; returns the function's answer.
async fn invoke_sweep(lab: &TestLab) -> String {
    let event = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} });
    lab.invoke(&event).await
}
