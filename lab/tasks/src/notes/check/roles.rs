//! Roles: each has exactly the permissions in `deploy-notes/iam`.

use anyhow::Result;
use serde_json::json;

use super::{
    Check,
    findings::{Findings, list, text},
};

struct Role {
    name: &'static str,
    trust: &'static str,
    inline: &'static [&'static str],
    attached: &'static [&'static str],
    /// Instances use a role through the instance profile of the same name.
    has_profile: bool,
}

const SHELLS: &[&str] = &["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"];

const ROLES: [Role; 4] = [
    Role {
        name: "EC2-SSM-Role",
        trust: "ec2-trust",
        inline: &["tier-logs", "tier-release"],
        attached: SHELLS,
        has_profile: true,
    },
    Role {
        name: "EC2-S3-Access-Role",
        trust: "ec2-trust",
        inline: &[
            "ec2-s3-access-role",
            "ec2-database-iam",
            "tier-logs",
            "tier-release",
        ],
        attached: SHELLS,
        has_profile: true,
    },
    Role {
        name: "EC2-Operator-Role",
        trust: "ec2-trust",
        inline: &["operator-role", "operator-database-iam"],
        attached: SHELLS,
        has_profile: true,
    },
    Role {
        name: "Lambda-FinTech-Pipeline-Role",
        trust: "lambda-trust",
        inline: &[
            "lambda-fintech-pipeline-role",
            "lambda-fintech-pipeline-role-sqs",
            "lambda-database-iam",
        ],
        attached: &[],
        has_profile: false,
    },
];

pub(super) async fn check(check: &Check<'_>, findings: &mut Findings) -> Result<()> {
    let answer = check.ask(&["iam", "list-roles"]).await?;
    let there = list(&answer["Roles"])
        .iter()
        .map(|role| text(&role["RoleName"]));
    findings.same_set("roles", ROLES.map(|role| role.name), there);
    let answer = check.ask(&["iam", "list-instance-profiles"]).await?;
    let there = list(&answer["InstanceProfiles"]).iter().map(|profile| {
        let roles = list(&profile["Roles"])
            .iter()
            .map(|role| text(&role["RoleName"]));
        let roles: Vec<_> = roles.collect();
        format!(
            "{} of {}",
            text(&profile["InstanceProfileName"]),
            roles.join(", ")
        )
    });
    let with_profile = ROLES.iter().filter(|role| role.has_profile);
    let expected = with_profile.map(|role| format!("{} of {}", role.name, role.name));
    findings.same_set("instance profiles", expected, there);
    for role in &ROLES {
        self::role(check, role, findings).await?;
    }
    Ok(())
}

async fn role(check: &Check<'_>, role: &Role, findings: &mut Findings) -> Result<()> {
    let name = role.name;
    let answer = check.ask(&["iam", "get-role", "--role-name", name]).await?;
    let trust = &answer["Role"]["AssumeRolePolicyDocument"];
    findings.same(format!("{name}, trust"), &check.policy(role.trust)?, trust);
    let answer = check
        .ask(&["iam", "list-attached-role-policies", "--role-name", name])
        .await?;
    let attached = list(&answer["AttachedPolicies"])
        .iter()
        .map(|policy| text(&policy["PolicyArn"]));
    findings.same_set(
        format!("{name}, attached"),
        role.attached.iter().copied(),
        attached,
    );
    let answer = check
        .ask(&["iam", "list-role-policies", "--role-name", name])
        .await?;
    let inline = list(&answer["PolicyNames"]).iter().map(text);
    findings.same_set(
        format!("{name}, inline"),
        role.inline.iter().copied(),
        inline,
    );
    for policy in role.inline {
        let words = [
            "iam",
            "get-role-policy",
            "--role-name",
            name,
            "--policy-name",
            policy,
        ];
        let seen = match check.ask(&words).await {
            Ok(answer) => answer["PolicyDocument"].clone(),
            Err(_) => json!("no such policy"),
        };
        findings.same(format!("{name}, {policy}"), &check.policy(policy)?, &seen);
    }
    Ok(())
}
