//! The database: encrypted, in two zones, and reachable only by the pipeline.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    findings::{Findings, list},
    names::Names,
};
use crate::notes::stand_in::StandIn;

pub async fn check(account: &StandIn, names: &Names, findings: &mut Findings) -> Result<()> {
    let answer = account.ask(&["rds", "describe-db-instances"]).await?;
    let [database] = list(&answer["DBInstances"]) else {
        findings.same(
            "databases",
            &json!(1),
            &json!(list(&answer["DBInstances"]).len()),
        );
        return Ok(());
    };
    let settings = json!({
        "DBInstanceIdentifier": "payment-db", "DBInstanceClass": "db.t4g.small", "Engine": "mysql",
        "EngineVersion": "8.4", "DBName": "payments", "AllocatedStorage": 20, "StorageType": "gp3",
        "StorageEncrypted": true, "PubliclyAccessible": false, "MultiAZ": true, "DeletionProtection": true,
        "IAMDatabaseAuthenticationEnabled": true, "BackupRetentionPeriod": 7, "CopyTagsToSnapshot": true,
        "MasterUsername": "admin",
    });
    findings.members("database", &settings, database);
    let managed = database["MasterUserSecret"]["SecretArn"].is_string();
    findings.same(
        "database, password in Secrets Manager",
        &json!(true),
        &json!(managed),
    );
    let ids = |member: &Value, id: &str| -> String {
        names.of_all(list(member).iter().map(|thing| &thing[id]))
    };
    let subnets = ids(&database["DBSubnetGroup"]["Subnets"], "SubnetIdentifier");
    findings.same(
        "database, subnets",
        &json!("private-a, private-b"),
        &json!(subnets),
    );
    let groups = ids(&database["VpcSecurityGroups"], "VpcSecurityGroupId");
    findings.same("database, groups", &json!("RDS SG"), &json!(groups));
    let groups = ids(&database["DBParameterGroups"], "DBParameterGroupName");
    findings.same("database, parameters", &json!("payment-db"), &json!(groups));
    let words = [
        "rds",
        "describe-db-parameters",
        "--db-parameter-group-name",
        "payment-db",
    ];
    let parameters = account.ask(&words).await?;
    let mut tls = list(&parameters["Parameters"]).iter();
    let tls = tls.find(|parameter| parameter["ParameterName"] == "require_secure_transport");
    let value = tls.map_or(&Value::Null, |parameter| &parameter["ParameterValue"]);
    findings.same("database, require_secure_transport", &json!("1"), value);
    Ok(())
}
