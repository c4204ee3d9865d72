//! Roles: permissions that are missing, and permissions that are too much.

use aws_model::iam::{Context, Decision, Key, Policy, Principal, Request, evaluate};
use serde_json::Value;

use super::account::{Account, Call};
use super::json::{list, text};
use super::network::{running, vpc};
use super::{Finding, Findings, Names};

/// Policies of AWS's own that give what a role here must not have.
const FAR_TOO_WIDE: [&str; 5] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "AmazonS3FullAccess",
    "AmazonSQSFullAccess",
    "SecretsManagerReadWrite",
];

/// Of AWS's own too, and as narrow as can be for the logs and network interfaces of a function.
const OF_FUNCTIONS: [&str; 2] = [
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaBasicExecutionRole",
];

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Iam) else {
        return;
    };
    app_tier(account, names, answer, findings);
    function(account, names, answer, findings);
    operator(account, names, answer, findings);
    web_tier(account, names, answer, findings);
}

/// A role with its policies.
struct Role<'a> {
    name: &'a str,
    principal: Principal,
    policies: Vec<Policy>,
    /// As JSON, with the name of each.
    documents: Vec<(&'a str, &'a Value)>,
    /// Of AWS's own.
    attached: Vec<&'a str>,
}

impl<'a> Role<'a> {
    fn find(
        answer: &'a Value,
        account: &Account,
        name: &str,
        findings: &mut Findings,
    ) -> Option<Self> {
        let mut roles = list(answer, "RoleDetailList").iter();
        let found = roles.find(|role| text(role, "RoleName") == name)?;
        let name = text(found, "RoleName");
        let mut role = Self {
            name,
            principal: Principal::role(&account.id, name),
            policies: Vec::new(),
            documents: Vec::new(),
            attached: Vec::new(),
        };
        for inline in list(found, "RolePolicyList") {
            role.documents
                .push((text(inline, "PolicyName"), &inline["PolicyDocument"]));
        }
        for attached in list(found, "AttachedManagedPolicies") {
            let arn = text(attached, "PolicyArn");
            match managed(answer, arn) {
                Some(document) => role
                    .documents
                    .push((text(attached, "PolicyName"), document)),
                None => role.attached.push(text(attached, "PolicyName")),
            }
        }
        for (policy, document) in &role.documents {
            match Policy::of_identity(document.to_string().as_bytes()) {
                Ok(parsed) => role.policies.push(parsed),
                Err(error) => findings.note(format!(
                    "could not evaluate the policy {policy} of {name}: {}",
                    program::chain(&error)
                )),
            }
        }
        Some(role)
    }

    /// Whether its policies let it do that, encrypted and under the prefix where that matters.
    fn may(&self, names: &Names, action: &str, resource: &str) -> bool {
        let mut context = Context::default();
        context.set(Key::SECURE_TRANSPORT, Some("true"));
        context.set(Key::ENCRYPTION, Some("AES256"));
        context.set(Key::PREFIX, Some(names.prefix.as_str()));
        context.set_principal(&self.principal);
        let request = Request {
            principal: &self.principal,
            action,
            resource,
            context: &context,
        };
        evaluate(request, &self.policies, None) == Decision::Allowed
    }

    fn is_for_functions(&self, service: &str) -> bool {
        let logs = service == "logs";
        self.attached
            .iter()
            .any(|name| *name == OF_FUNCTIONS[0] || (logs && *name == OF_FUNCTIONS[1]))
    }
}

fn managed<'a>(answer: &'a Value, arn: &str) -> Option<&'a Value> {
    let mut policies = list(answer, "Policies").iter();
    let policy = policies.find(|policy| text(policy, "Arn") == arn)?;
    let mut versions = list(policy, "PolicyVersionList").iter();
    let version = versions.find(|version| super::json::is_true(version, "IsDefaultVersion"))?;
    Some(&version["Document"])
}

fn missing_role(name: &str, trust: &str, findings: &mut Findings) {
    findings.add(
        Finding::error("role-missing", format!("there is no role named {name}"))
            .causes("the program that should have it is refused everything: 503, or rows that never come")
            .why("credentials of instances and functions come from their role")
            .mend(format!(
                "aws iam create-role --role-name {name} --assume-role-policy-document \
                 file://deploy-notes/iam/{trust}, then page 3 of the notes"
            )),
    );
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
        findings.add(
            Finding::error(
                "grant-missing",
                format!("{name} may not {action} on {resource}"),
            )
            .causes(*causes)
            .why("no policy of the role allows it, or a condition of one is not met")
            .mend(format!(
                "aws iam put-role-policy --role-name {name} --policy-name {file} --policy-document \
                     \"$(policy {file}.json)\", with the functions of deploy-notes/settings.sh"
            )),
        );
    }
}

/// What the role must not be able to do, whatever its policies look like.
fn forbidden(
    role: &Role<'_>,
    names: &Names,
    actions: &[&str],
    object: &str,
    findings: &mut Findings,
) {
    let may = |action: &&&str| role.may(names, action, object);
    let Some(action) = actions.iter().find(may) else {
        return;
    };
    // A star among the actions is a finding of its own.
    if findings
        .found
        .iter()
        .any(|found| found.code == "grant-too-wide" && found.what.starts_with(role.name))
    {
        return;
    }
    let name = role.name;
    findings.add(
        Finding::error("grant-changes-record", format!("{name} may {action} on {object}"))
            .causes("a recorded payment can be changed or deleted from a machine that someone got into")
            .why("the log is append-only: the app tier puts under new keys, the function reads")
            .mend(format!("aws iam list-role-policies --role-name {name}, and take {action} out of the policy that has it")),
    );
}

fn too_wide(role: &Role<'_>, findings: &mut Findings) {
    let name = role.name;
    let causes = "who gets into the machine, or the function, gets what the role may do";
    for attached in &role.attached {
        if FAR_TOO_WIDE.contains(attached) {
            findings.add(
                Finding::error("grant-too-wide", format!("{name} has {attached}"))
                    .causes(causes)
                    .why("the policies of the notes name each action and resource that is needed")
                    .mend(format!(
                        "aws iam detach-role-policy --role-name {name} --policy-arn arn:aws:iam::aws:policy/{attached}"
                    )),
            );
        }
    }
    for (policy, document) in &role.documents {
        for statement in statements(document) {
            let Some(why) = breadth(statement) else {
                continue;
            };
            findings.add(
                Finding::error("grant-too-wide", format!("{name} by its policy {policy}: {why}"))
                    .causes(causes)
                    .why("the policies of the notes name each action and resource that is needed")
                    .mend(format!(
                        "aws iam delete-role-policy --role-name {name} --policy-name {policy}, then page 3 of the notes"
                    )),
            );
        }
    }
}

fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        one => vec![one],
    }
}

fn one_or_more<'a>(statement: &'a Value, member: &str) -> Vec<&'a str> {
    match &statement[member] {
        Value::String(one) => vec![one],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What is too wide in a statement. Actions on network interfaces and of descriptions know no resource.
fn breadth(statement: &Value) -> Option<String> {
    if text(statement, "Effect") != "Allow" {
        return None;
    }
    let actions = one_or_more(statement, "Action");
    if let Some(action) = actions.iter().find(|action| action.ends_with('*')) {
        return Some(format!("it allows {action}"));
    }
    if statement.get("NotAction").is_some() {
        return Some("it allows all but some actions".to_owned());
    }
    let bound = ["s3:", "sqs:", "secretsmanager:", "rds-db:", "kms:", "logs:"];
    let action = actions
        .iter()
        .find(|action| bound.iter().any(|service| action.starts_with(service)))?;
    let everywhere = one_or_more(statement, "Resource")
        .into_iter()
        .find(|resource| {
            ["*", "arn:aws:s3:::*"].contains(resource) || resource.contains(":dbuser:*")
        })?;
    Some(format!("it allows {action} on {everywhere}"))
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
            continue;
        };
        let Some(role) = Role::find(answer, account, text(found, "RoleName"), findings) else {
            continue;
        };
        let object = format!("arn:aws:s3:::{}/{}x", names.bucket, names.prefix);
        let reaches = ["s3:PutObject", "s3:GetObject", "s3:DeleteObject"]
            .into_iter()
            .find(|action| role.may(names, action, &object));
        let wide = role.attached.iter().any(|name| FAR_TOO_WIDE.contains(name));
        if reaches.is_some() || wide {
            let id = text(instance, "InstanceId");
            findings.add(
                Finding::error(
                    "web-tier-reaches-s3",
                    format!("the web instance {name} ({id}) has the role {}, which reaches the bucket", role.name),
                )
                .causes("who gets into the machine that faces the internet writes or reads payments past all checks")
                .why("the web tier passes requests on; only the app tier puts")
                .mend(format!(
                    "aws ec2 replace-iam-instance-profile-association --iam-instance-profile Name=EC2-SSM-Role \
                     --association-id $(aws ec2 describe-iam-instance-profile-associations --filters \
                     Name=instance-id,Values={id} --query 'IamInstanceProfileAssociations[0].AssociationId' --output text)"
                )),
            );
        }
    }
}
