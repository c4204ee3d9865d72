//! The way onto AWS: every page runs, creates what it should, and leaves nothing.

use std::{collections::BTreeMap, fs, process::Command};

use lab_runner::{output::chain, workspace::Workspace};
use lab_tasks::notes::{
    Runbook,
    page::{self, Way},
    session::Outcome,
};

use crate::{root, text};

/// Page, and number of its blocks that need a person, or a machine that the simulated AWS does not have.
const BY_HAND: [(u8, usize); 13] = [
    (4, 1),
    (5, 4),
    (7, 2),
    (8, 1),
    (9, 8),
    (10, 2),
    (11, 2),
    (12, 4),
    (0, 1),
    (14, 1),
    (17, 3),
    (18, 1),
    (19, 4),
];

/// A change to what the pages created, the finding that it causes, and the change that undoes it.
const CHANGES: [[&str; 3]; 9] = [
    [
        "ec2 authorize-security-group-ingress --group-id $RDS_SG --protocol tcp --port 3306 --cidr 0.0.0.0/0",
        "group-too-open: RDS SG",
        "ec2 revoke-security-group-ingress --group-id $RDS_SG --protocol tcp --port 3306 --cidr 0.0.0.0/0",
    ],
    [
        "ec2 create-network-acl-entry --network-acl-id $PRIVATE_ACL --ingress --rule-number 90 --protocol tcp \
         --rule-action allow --port-range From=1024,To=65535 --cidr-block 0.0.0.0/0",
        "acl-ephemeral-hole: entry 90",
        "ec2 delete-network-acl-entry --network-acl-id $PRIVATE_ACL --ingress --rule-number 90",
    ],
    [
        "elbv2 modify-target-group --target-group-arn $WEB_TARGETS --health-check-path /",
        "Web-Tier-TG, HealthCheckPath: \"/health\" is expected, there is \"/\"",
        "elbv2 modify-target-group --target-group-arn $WEB_TARGETS --health-check-path /health",
    ],
    [
        "elbv2 deregister-targets --target-group-arn $WEB_TARGETS --targets Id=$WEB_B",
        "Web-Tier-TG, targets: \"web-a, web-b\" is expected, there is \"web-a\"",
        "elbv2 register-targets --target-group-arn $WEB_TARGETS --targets Id=$WEB_B",
    ],
    [
        "s3api put-bucket-versioning --bucket $BUCKET --versioning-configuration Status=Suspended",
        "bucket, versioning: \"Enabled\" is expected, there is \"Suspended\"",
        "s3api put-bucket-versioning --bucket $BUCKET --versioning-configuration Status=Enabled",
    ],
    [
        "iam attach-role-policy --role-name EC2-SSM-Role --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess",
        "EC2-SSM-Role, attached: arn:aws:iam::aws:policy/AmazonS3FullAccess must not be",
        "iam detach-role-policy --role-name EC2-SSM-Role --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess",
    ],
    [
        "lambda put-function-concurrency --function-name FinTechTransactionAlert --reserved-concurrent-executions 500",
        "function, reserve: 10 is expected, there is 500",
        "lambda put-function-concurrency --function-name FinTechTransactionAlert --reserved-concurrent-executions 10",
    ],
    [
        "rds modify-db-instance --db-instance-identifier payment-db --backup-retention-period 0 --apply-immediately",
        "database, BackupRetentionPeriod: 7 is expected, there is 0",
        "rds modify-db-instance --db-instance-identifier payment-db --backup-retention-period 7 --apply-immediately",
    ],
    [
        "cloudwatch disable-alarm-actions --alarm-names payment-lag",
        "alarm-wrong: the alarm payment-lag tells nobody",
        "cloudwatch enable-alarm-actions --alarm-names payment-lag",
    ],
];

/// The tear-down runs in a different shell from the pages before it.
#[tokio::test]
async fn the_notes_run_as_they_stand_and_a_change_to_what_they_made_is_found() {
    let workspace = Workspace::find().unwrap();
    let runbook = Runbook::prepare(&workspace).await.unwrap();
    let run = async |pages| {
        if let Err(error) = Box::pin(runbook.run(pages)).await {
            panic!("{}", chain(error.as_ref()));
        }
    };
    let last = runbook.tear_down();
    run(0..=last - 1).await;
    change(&runbook, CHANGES.map(|[change, ..]| change)).await;
    let faults = Box::pin(runbook.faults()).await.unwrap();
    for [change, fault, _] in CHANGES {
        let found = faults.iter().any(|found| found.starts_with(fault));
        assert!(found, "{change}: {faults:#?}");
    }
    change(&runbook, CHANGES.map(|[_, _, restore]| restore)).await;
    run(last..=last).await;
    runbook.end().await;
}

/// Runs commands as a person would by hand, in a shell of the notes.
async fn change(runbook: &Runbook<'_>, commands: [&str; 9]) {
    let mut session = runbook.account().session(root()).unwrap();
    let commands = commands.map(|command| format!("aws {command} >/dev/null\n"));
    let script = format!(". deploy-notes/settings.sh\n{}", commands.concat());
    let outcome = session.run(&script).await.unwrap();
    assert_eq!(outcome, Outcome::Done(String::new()));
}

#[test]
fn a_page_may_be_named_as_the_last() {
    let output = Command::new(env!("CARGO_BIN_EXE_lab-tasks"))
        .args(["runbook", "--page", "0"])
        .output()
        .unwrap();
    let said = text(&output);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("✓ 00-before-you-start.md 2 blocks"), "{said}");
    assert!(!said.contains("✓ 01"), "{said}");
    assert!(said.contains("needs the internet"), "{said}");
}

/// A block marked without need would no longer be tested.
#[test]
fn few_blocks_of_the_notes_are_left_to_a_person() {
    let pages = page::read_all(&root().join("deploy-notes")).unwrap();
    assert_eq!(pages.len(), 22);
    let expected: BTreeMap<_, _> = BY_HAND.into_iter().collect();
    for page in pages {
        let by_hand = |way: &Way| matches!(way, Way::ByHand { .. });
        let count = page
            .blocks
            .iter()
            .filter(|block| by_hand(&block.way))
            .count();
        let most = expected.get(&page.number).copied().unwrap_or(0);
        assert_eq!(count, most, "{}", page.name);
    }
}

#[test]
fn the_index_of_the_notes_names_every_page_in_order_and_each_page_the_next() {
    let notes = root().join("deploy-notes");
    let index = fs::read_to_string(notes.join("README.md")).unwrap();
    let pages = page::read_all(&notes).unwrap();
    let places: Vec<_> = pages
        .iter()
        .map(|page| index.find(&format!("]({})", page.name)).expect(&page.name))
        .collect();
    assert!(places.is_sorted());
    for (page, next) in pages.iter().zip(&pages[1..]) {
        let text = fs::read_to_string(notes.join(&page.name)).unwrap();
        let link = format!("]({}).", next.name);
        assert!(
            text.lines().last().unwrap().ends_with(&link),
            "{}",
            page.name
        );
    }
}
