//! Roles: permissions that are missing, and permissions that are too much.

mod excess;
mod role;

use serde_json::Value;

use self::excess::{forbidden, too_wide};
use self::role::Role;
use super::account::{Account, Call};
use super::json::{list, text};
use super::network::{running, vpc};
use super::{Findings, Names};

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Iam) else {
        return;
    };
    app_tier(account, names, answer, findings);
    function(account, names, answer, findings);
    operator(account, names, answer, findings);
    web_tier(account, names, answer, findings);
}

fn missing_role(name: &str, trust: &str, findings: &mut Findings) {
    findings
        .error("role-missing", format!("there is no role named {name}"))
        .causes(
            "the program that should have it is refused everything: 503, or rows that never come",
        )
        .why("credentials of instances and functions come from their role")
        .mend(format!(
            "aws iam create-role --role-name {name} --assume-role-policy-document \
                 file://deploy-notes/iam/{trust}, then page 3 of the notes"
        ));
}

fn app_tier(account: &Account, names: &Names, answer: &Value, findings: &mut Findings) {
    let Some(role) = Role::find(answer, account, names.app_role, findings) else {
        return missing_role(names.app_role, "ec2-trust.json", findings);
    };
    let object = format!("arn:aws:s3:::{}/{}x", names.bucket, names.prefix);
    grants(
        &role,
        names,
        "ec2-s3-access-role",
        &[(
            "s3:PutObject",
            object.clone(),
            "every payment is refused with 503",
        )],
        findings,
    );
    too_wide(&role, findings);
    let actions = [
        "s3:DeleteObject",
        "s3:DeleteObjectVersion",
        "s3:PutObjectAcl",
    ];
    forbidden(&role, names, &actions, &object, findings);
}

fn function(account: &Account, names: &Names, answer: &Value, findings: &mut Findings) {
    let Some(role) = Role::find(answer, account, names.function_role, findings) else {
        return missing_role(names.function_role, "lambda-trust.json", findings);
    };
    let (region, id) = (&account.region, &account.id);
    let bucket = format!("arn:aws:s3:::{}", names.bucket);
    let object = format!("{bucket}/{}x", names.prefix);
    let letters = format!("arn:aws:sqs:{region}:{id}:{}", names.dead_letters);
    let log = format!(
        "arn:aws:logs:{region}:{id}:log-group:/aws/lambda/{}:log-stream:x",
        names.function
    );
    let no_row = "no payment becomes a row";
    let mut wanted = vec![
        ("s3:GetObject", object.clone(), no_row),
        (
            "s3:ListBucket",
            bucket,
            "the sweep fails: lost events are never made good",
        ),
        (
            "sqs:SendMessage",
            letters,
            "events that failed for good are forgotten",
        ),
    ];
    if !role.is_for_functions("logs") {
        for action in ["logs:CreateLogStream", "logs:PutLogEvents"] {
            wanted.push((
                action,
                log.clone(),
                "the function says nothing: no log, no metrics, no alarm",
            ));
        }
    }
    if !role.is_for_functions("ec2") {
        for action in [
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DeleteNetworkInterface",
        ] {
            wanted.push((
                action,
                "*".to_owned(),
                "the function can't be put into the VPC, or not be started there",
            ));
        }
    }
    grants(
        &role,
        names,
        "lambda-fintech-pipeline-role",
        &wanted,
        findings,
    );
    too_wide(&role, findings);
    let actions = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"];
    forbidden(&role, names, &actions, &object, findings);
}

fn operator(account: &Account, names: &Names, answer: &Value, findings: &mut Findings) {
    let Some(role) = Role::find(answer, account, names.operator_role, findings) else {
        return missing_role(names.operator_role, "ec2-trust.json", findings);
    };
    let bucket = format!("arn:aws:s3:::{}", names.bucket);
    let object = format!("{bucket}/{}x", names.prefix);
    let letters = format!(
        "arn:aws:sqs:{}:{}:{}",
        account.region, account.id, names.dead_letters
    );
    let no_proof = "payctl reconcile, verify and trace are refused";
    let no_replay = "payctl replay --dead-letters is refused";
    let wanted = [
        ("s3:GetObject", object.clone(), no_proof),
        ("s3:ListBucket", bucket, no_proof),
        ("sqs:ReceiveMessage", letters.clone(), no_replay),
        ("sqs:DeleteMessage", letters.clone(), no_replay),
        ("sqs:ChangeMessageVisibility", letters.clone(), no_replay),
        ("sqs:GetQueueAttributes", letters, no_replay),
    ];
    grants(&role, names, "operator-role", &wanted, findings);
    too_wide(&role, findings);
    let actions = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"];
    forbidden(&role, names, &actions, &object, findings);
}

fn grants(
    role: &Role<'_>,
    names: &Names,
    file: &str,
    wanted: &[(&str, String, &str)],
    findings: &mut Findings,
) {
    for (action, resource, causes) in wanted {
        if role.may(names, action, resource) {
            continue;
        }
        let name = role.name;
        findings
            .error(
                "grant-missing",
                format!("{name} may not {action} on {resource}"),
            )
            .causes(*causes)
            .why("no policy of the role allows it, or a condition of one is not met")
            .mend(format!(
                "aws iam put-role-policy --role-name {name} --policy-name {file} --policy-document \
                     \"$(policy {file}.json)\", with the functions of deploy-notes/settings.sh"
            ));
    }
}

/// The web tier needs nothing of S3: where one gets in first.
fn web_tier(account: &Account, names: &Names, answer: &Value, findings: &mut Findings) {
    let Some(vpc) = vpc(account) else { return };
    let mut seen = Vec::new();
    for instance in running(account, vpc) {
        let name = super::json::name(instance);
        let profile = text(instance, "IamInstanceProfile.Arn");
        if !name.starts_with("web-") || profile.is_empty() || seen.contains(&profile) {
            continue;
        }
        seen.push(profile);
        let has = |role: &&Value| {
            let profiles = list(role, "InstanceProfileList").iter();
            let mut arns = profiles.map(|profile| text(profile, "Arn"));
            arns.any(|arn| arn == profile)
        };
        let Some(found) = list(answer, "RoleDetailList").iter().find(has) else {
            findings.note(format!(
                "could not look at the role of the web instance {name}: none is in {profile}"
            ));
            continue;
        };
        let Some(role) = Role::find(answer, account, text(found, "RoleName"), findings) else {
            continue;
        };
        let object = format!("arn:aws:s3:::{}/{}x", names.bucket, names.prefix);
        let reaches = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
            .into_iter()
            .find(|action| role.may(names, action, &object));
        if reaches.is_some() || role.is_far_too_wide() {
            let id = text(instance, "InstanceId");
            findings.error(
                    "web-tier-reaches-s3",
                    format!("the web instance {name} ({id}) has the role {}, which reaches the bucket", role.name),
                )
                .causes("who gets into the machine that faces the internet writes or reads payments past all checks")
                .why("the web tier passes requests on; only the app tier puts")
                .mend(format!(
                    "aws ec2 replace-iam-instance-profile-association --iam-instance-profile Name=EC2-SSM-Role \
                     --association-id $(aws ec2 describe-iam-instance-profile-associations --filters \
                     Name=instance-id,Values={id} --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)"
                ));
        }
    }
}
