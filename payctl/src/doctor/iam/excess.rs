//! What a role has too much.

use serde_json::Value;

use super::role::{FAR_TOO_WIDE, Role};
use crate::doctor::json::text;
use crate::doctor::{Findings, Names};

/// What the role must not be able to do, whatever its policies look like.
pub fn forbidden(
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
    findings.error("grant-changes-record", format!("{name} may {action} on {object}"))
            .causes("a recorded payment can be changed or deleted from a machine that someone got into")
            .why("the log is append-only: the app tier puts under new keys, the function reads")
            .mend(format!("aws iam list-role-policies --role-name {name}, and take {action} out of the policy that has it"));
}

pub fn too_wide(role: &Role<'_>, findings: &mut Findings) {
    let name = role.name;
    let causes = "who gets into the machine, or the function, gets what the role may do";
    for attached in &role.attached {
        if FAR_TOO_WIDE.contains(attached) {
            findings.error("grant-too-wide", format!("{name} has {attached}"))
                    .causes(causes)
                    .why("the policies of the notes name each action and resource that is needed")
                    .mend(format!(
                        "aws iam detach-role-policy --role-name {name} --policy-arn arn:aws:iam::aws:policy/{attached}"
                    ));
        }
    }
    for (policy, document) in &role.documents {
        for statement in statements(document) {
            let Some(why) = breadth(statement) else {
                continue;
            };
            findings.error("grant-too-wide", format!("{name} by its policy {policy}: {why}"))
                    .causes(causes)
                    .why("the policies of the notes name each action and resource that is needed")
                    .mend(format!(
                        "aws iam delete-role-policy --role-name {name} --policy-name {policy}, then page 3 of the notes"
                    ));
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
