//! The database as RDS has it.

use serde_json::Value;

use super::account::{Account, Call};
use super::json::{is_true, list, number, text};
use super::network::{find_group, vpc};
use super::{Findings, Names};

/// Certificates that expired in 2024; those after it are good for decades.
const OLD_CA: &str = "rds-ca-2019";

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    if account.known(&Call::Database).is_none() {
        return;
    }
    let name = names.database;
    let Some(database) = instance(account) else {
        findings
            .error(
                "database-missing",
                format!("there is no database named {name}"),
            )
            .causes("payments are accepted, and never become rows")
            .why("the function inserts into it alone")
            .mend("page 5 of the notes makes it");
        return;
    };
    let modify =
        format!("aws rds modify-db-instance --db-instance-identifier {name} --apply-immediately");
    settings(database, name, &modify, findings);
    group(account, database, name, &modify, findings);
    parameters(account, database, findings);
}

fn instance(account: &Account) -> Option<&Value> {
    list(account.value(&Call::Database), "DBInstances").first()
}

fn settings(database: &Value, name: &str, modify: &str, findings: &mut Findings) {
    if is_true(database, "PubliclyAccessible") {
        findings
            .error(
                "database-public",
                format!("{name} has an address on the internet"),
            )
            .causes("a wrong group is enough for anyone to try passwords")
            .why("it is publicly accessible; the tiers reach it inside the VPC")
            .mend(format!("{modify} --no-publicly-accessible"));
    }
    if !is_true(database, "StorageEncrypted") {
        findings.error("database-unencrypted", format!("{name} stores rows in plain"))
                .causes("disks and snapshots show payments to whoever gets them")
                .why("encryption is chosen when an instance is made, and can't be switched on")
                .mend(format!(
                    "aws rds create-db-snapshot --db-instance-identifier {name} --db-snapshot-identifier {name}-plain, \
                     copy it with --kms-key-id alias/aws/rds, and restore from the copy"
                ));
    }
    if !is_true(database, "MultiAZ") {
        findings.warning("database-one-zone", format!("{name} is in one zone alone"))
                .causes("rows wait for hours where that zone or its disk is away; payments are accepted all the same")
                .why("without a standby, a failure means a restore from a snapshot")
                .mend(format!("{modify} --multi-az"));
    }
    let class = text(database, "DBInstanceClass");
    if is_true(database, "IAMDatabaseAuthenticationEnabled")
        && class.rsplit('.').next() == Some("micro")
    {
        findings.warning("database-small", format!("{name} is a {class} and takes logins by IAM tokens"))
                .causes("under load logins fail, those of the function first, and rows come late")
                .why("AWS asks for 300 to 1,000 MiB of free memory for these logins, which a micro does not have")
                .mend(format!("{modify} --db-instance-class db.t4g.small; or passwords, as page 5 of the notes says"));
    }
    if number(database, "BackupRetentionPeriod").unwrap_or_default() < 1 {
        findings
            .error("database-backups", format!("{name} has no backups"))
            .causes("what someone drops is gone, and must be replayed from the log")
            .why("a retention of 0 days switches backups off")
            .mend(format!("{modify} --backup-retention-period 7"));
    }
    if !is_true(database, "DeletionProtection") {
        findings
            .warning(
                "database-deletable",
                format!("{name} can be deleted by one call"),
            )
            .causes("a slip of the hand takes the database with its backups")
            .why("deletion protection is off")
            .mend(format!("{modify} --deletion-protection"));
    }
    if text(database, "CACertificateIdentifier") == OLD_CA {
        findings
            .error(
                "database-ca",
                format!("{name} shows a certificate of {OLD_CA}"),
            )
            .causes("no program logs in: its certificate has expired, and it is verified")
            .why("that authority ended in August 2024")
            .mend(format!(
                "{modify} --ca-certificate-identifier rds-ca-rsa2048-g1"
            ));
    }
}

fn group(account: &Account, database: &Value, name: &str, modify: &str, findings: &mut Findings) {
    let Some(wanted) = vpc(account).and_then(|vpc| find_group(account, vpc, "RDS SG")) else {
        findings.note(format!(
            "could not look at the groups of {name}: there is no group RDS SG"
        ));
        return;
    };
    let id = text(wanted, "GroupId");
    let groups = list(database, "VpcSecurityGroups").iter();
    let groups: Vec<_> = groups
        .map(|group| text(group, "VpcSecurityGroupId"))
        .collect();
    if groups != [id] {
        findings
            .error(
                "database-group",
                format!(
                    "{name} has the groups {}, not RDS SG ({id}) alone",
                    groups.join(" ")
                ),
            )
            .causes("function and app tier can't log in, or others can")
            .why("RDS SG lets in the function and the app tier, and nobody else")
            .mend(format!("{modify} --vpc-security-group-ids {id}"));
    }
}

/// The value of a parameter that is set.
fn parameter<'a>(account: &'a Account, database: &Value, name: &str) -> Option<&'a str> {
    let groups = list(database, "DBParameterGroups").iter();
    groups
        .map(|group| text(group, "DBParameterGroupName").to_owned())
        .flat_map(|group| list(account.value(&Call::Parameters(group)), "Parameters"))
        .find(|parameter| text(parameter, "ParameterName") == name)
        .map(|parameter| text(parameter, "ParameterValue"))
}

fn parameters(account: &Account, database: &Value, findings: &mut Findings) {
    let group = list(database, "DBParameterGroups")
        .first()
        .map(|group| text(group, "DBParameterGroupName"))
        .unwrap_or_default();
    if account.known(&Call::Parameters(group.to_owned())).is_none() {
        return;
    }
    if parameter(account, database, "binlog_format") == Some("STATEMENT") {
        let name = text(database, "DBInstanceIdentifier");
        let mend = format!(
            "aws rds modify-db-parameter-group --db-parameter-group-name {group} --parameters \
             ParameterName=binlog_format,ParameterValue=ROW,ApplyMethod=immediate"
        );
        logs_by_statement(name, mend, findings);
    }
    let tls = parameter(account, database, "require_secure_transport");
    if !matches!(tls, Some("1" | "ON")) {
        let name = text(database, "DBInstanceIdentifier");
        let mend = if group.starts_with("default.") {
            "default parameter groups can't be changed; page 5 of the notes makes one".to_owned()
        } else {
            format!(
                "aws rds modify-db-parameter-group --db-parameter-group-name {group} --parameters \
                 ParameterName=require_secure_transport,ParameterValue=1,ApplyMethod=immediate"
            )
        };
        findings.error("database-plain-connections", format!("{name} takes connections without TLS"))
                .causes("a client that is set up wrong sends passwords and rows in plain, and nobody notices")
                .why("MySQL asks for TLS only where require_secure_transport is on")
                .mend(mend);
    }
}

/// Also found by asking the server itself.
pub(super) fn logs_by_statement(name: &str, mend: impl Into<String>, findings: &mut Findings) {
    findings.error(
        "database-binlog-statement",
        format!("{name} writes its binary log by statement"),
    )
    .causes("every insert of the function is refused (1665); payments are accepted, and never become rows")
    .why("binlog_format is STATEMENT; the function inserts under READ COMMITTED, which needs ROW or MIXED")
    .mend(mend);
}

/// How many connections it takes: what is set, or what RDS computes from the memory of the class.
pub fn connections_max(account: &Account) -> Option<i64> {
    let database = instance(account)?;
    if let Some(set) =
        parameter(account, database, "max_connections").and_then(|set| set.parse().ok())
    {
        return Some(set);
    }
    // {DBInstanceClassMemory/12582880}, of which the system keeps some 250 MB for itself.
    let mebibytes = match text(database, "DBInstanceClass").rsplit('.').next()? {
        "micro" => 1024,
        "small" => 2048,
        "medium" => 4096,
        "large" => 8192,
        _ => return None,
    };
    Some((mebibytes - 250) * 1_048_576 / 12_582_880)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::aws::AwsAnswer;
    use crate::doctor::{Area, examine};

    fn codes(database: &Value) -> Vec<&'static str> {
        let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
        let answer = json!({ "DBInstances": [database] });
        let account = Account::of([(Call::Database, AwsAnswer::Found(answer))]);
        let findings = examine(&account, &names, &[Area::Database]);
        findings.found.iter().map(|found| found.code).collect()
    }

    fn right() -> Value {
        json!({
            "DBInstanceIdentifier": "payment-db", "DBInstanceClass": "db.t4g.micro", "MultiAZ": true,
            "StorageEncrypted": true, "PubliclyAccessible": false, "BackupRetentionPeriod": 7,
            "DeletionProtection": true, "CACertificateIdentifier": "rds-ca-rsa2048-g1",
        })
    }

    #[test]
    fn a_setting_that_does_not_fit_is_found() {
        assert!(codes(&right()).is_empty());
        for (member, value, code) in [
            ("StorageEncrypted", json!(false), "database-unencrypted"),
            (
                "IAMDatabaseAuthenticationEnabled",
                json!(true),
                "database-small",
            ),
            (
                "CACertificateIdentifier",
                json!("rds-ca-2019"),
                "database-ca",
            ),
        ] {
            let mut wrong = right();
            wrong[member] = value;
            assert_eq!(codes(&wrong), [code]);
        }
    }

    #[test]
    fn a_binary_log_by_statement_is_found() {
        for (format, found) in [("STATEMENT", true), ("ROW", false), ("MIXED", false)] {
            let mut database = right();
            database["DBParameterGroups"] = json!([{ "DBParameterGroupName": "g" }]);
            let parameters = json!({ "Parameters": [
                { "ParameterName": "require_secure_transport", "ParameterValue": "1" },
                { "ParameterName": "binlog_format", "ParameterValue": format },
            ] });
            let account = Account::of([
                (
                    Call::Database,
                    AwsAnswer::Found(json!({ "DBInstances": [database] })),
                ),
                (
                    Call::Parameters("g".to_owned()),
                    AwsAnswer::Found(parameters),
                ),
            ]);
            let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
            let findings = examine(&account, &names, &[Area::Database]).found;
            let codes: Vec<_> = findings.iter().map(|finding| finding.code).collect();
            let expected = found.then_some("database-binlog-statement");
            assert_eq!(codes, Vec::from_iter(expected), "{format}");
        }
    }

    #[test]
    fn a_call_that_is_denied_is_a_note_and_no_finding() {
        let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
        let denied = AwsAnswer::Unavailable("AccessDenied".to_owned());
        let findings = examine(
            &Account::of([(Call::Database, denied)]),
            &names,
            &[Area::Database],
        );
        assert!(findings.found.is_empty(), "{:?}", findings.found);
        assert_eq!(findings.notes, ["could not look at Database: AccessDenied"]);
    }

    #[test]
    fn connections_follow_the_class_unless_they_are_set() {
        let database = json!({ "DBInstances": [{
            "DBInstanceClass": "db.t4g.micro", "DBParameterGroups": [{ "DBParameterGroupName": "g" }],
        }] });
        let mut answers = vec![(Call::Database, AwsAnswer::Found(database))];
        assert_eq!(connections_max(&Account::of(answers.clone())), Some(64));
        let parameters = json!({ "Parameters": [{ "ParameterName": "max_connections", "ParameterValue": "200" }] });
        answers.push((
            Call::Parameters("g".to_owned()),
            AwsAnswer::Found(parameters),
        ));
        assert_eq!(connections_max(&Account::of(answers)), Some(200));
    }
}
