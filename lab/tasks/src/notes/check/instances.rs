//! Instances: their placement, their permissions, and what they run at their start.

use anyhow::Result;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    findings::{Findings, list, name, text},
    names::{Names, instances},
};
use crate::notes::stand_in::StandIn;

/// Name, subnet, group, role, state.
const INSTANCES: [[&str; 5]; 5] = [
    [
        "app-a",
        "private-a",
        "App Tier SG",
        "EC2-S3-Access-Role",
        "running",
    ],
    [
        "app-b",
        "private-b",
        "App Tier SG",
        "EC2-S3-Access-Role",
        "running",
    ],
    [
        "operator",
        "private-a",
        "App Tier SG",
        "EC2-Operator-Role",
        "stopped",
    ],
    [
        "web-a",
        "public-a",
        "Web Tier SG",
        "EC2-SSM-Role",
        "running",
    ],
    [
        "web-b",
        "public-b",
        "Web Tier SG",
        "EC2-SSM-Role",
        "running",
    ],
];

pub async fn check(account: &StandIn, names: &Names, findings: &mut Findings) -> Result<()> {
    let there = instances(account).await?;
    let volumes = account.ask(&["ec2", "describe-volumes"]).await?;
    let seen = there.iter().map(|instance| {
        let groups = list(&instance["SecurityGroups"])
            .iter()
            .map(|group| &group["GroupId"]);
        let role = text(&instance["IamInstanceProfile"]["Arn"]);
        let (_, role) = role.rsplit_once('/').unwrap_or_default();
        [
            &name(instance),
            &names.of(&instance["SubnetId"]),
            &names.of_all(groups),
            role,
            &text(&instance["State"]["Name"]),
        ]
        .join(", ")
    });
    findings.same_set(
        "instances",
        INSTANCES.map(|expected| expected.join(", ")),
        seen,
    );
    for instance in &there {
        let name = name(instance);
        findings.same(&name, &json!("t3.micro"), &instance["InstanceType"]);
        let metadata = json!({"HttpTokens": "required", "HttpPutResponseHopLimit": 1});
        findings.members(&name, &metadata, &instance["MetadataOptions"]);
        findings.same(
            format!("{name}, public address"),
            &Value::Null,
            &instance["PublicIpAddress"],
        );
        let of_instance =
            |volume: &&Value| volume["Attachments"][0]["InstanceId"] == instance["InstanceId"];
        for volume in list(&volumes["Volumes"]).iter().filter(of_instance) {
            findings.same(
                format!("{name}, disk encrypted"),
                &json!(true),
                &volume["Encrypted"],
            );
        }
        start(account, instance, &name, findings).await?;
    }
    Ok(())
}

/// The program is verified before it is installed, and gets its configuration.
async fn start(
    account: &StandIn,
    instance: &Value,
    name: &str,
    findings: &mut Findings,
) -> Result<()> {
    let id = text(&instance["InstanceId"]);
    let words = [
        "ec2",
        "describe-instance-attribute",
        "--attribute",
        "userData",
        "--instance-id",
        &id,
    ];
    let answer = account.ask(&words).await?;
    let script = STANDARD
        .decode(text(&answer["UserData"]["Value"]))
        .unwrap_or_default();
    let script = String::from_utf8_lossy(&script);
    let tier = match name.split_once('-') {
        Some(("web", _)) => Some((
            "web-tier",
            &["APP_TIER_URL=http://FinTech-Internal-ALB-"][..],
        )),
        Some(("app", _)) => Some((
            "app-tier",
            &[
                "AWS_REGION=us-west-2\n",
                "LOG_BUCKET=fintech-payment-pipeline\n",
                "DB_HOST=payment-db.",
                "DB_IAM_AUTH=true\n",
                "DB_CA_BUNDLE=/etc/fintech/rds-global-bundle.pem\n",
            ][..],
        )),
        _ => None,
    };
    let (program, environment) = tier.unwrap_or(("payctl", &[]));
    let unit = format!("systemctl enable --now {program}");
    let install = format!("install -m 755 {program} /usr/local/bin/");
    let mut lines = vec![
        "s3.us-west-2.amazonaws.com/",
        "X-Amz-Signature=",
        "| sha256sum --check\n",
        &install,
    ];
    if tier.is_some() {
        lines.extend(["chmod 600 /etc/fintech/", &unit]);
    }
    lines.extend(environment);
    for line in lines {
        let has = script.contains(line);
        findings.same(
            format!("{name}, its start has {}", line.trim()),
            &json!(true),
            &json!(has),
        );
    }
    Ok(())
}
