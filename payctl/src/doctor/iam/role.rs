//! A role, and what it may do by its policies.

use aws_model::iam::{Context, Decision, Key, Policy, Principal, Request, evaluate};
use serde_json::Value;

use crate::doctor::account::Account;
use crate::doctor::json::{is_true, list, text};
use crate::doctor::{Findings, Names};

/// Policies of AWS's own that give what a role here must not have.
pub const FAR_TOO_WIDE: [&str; 5] = [
    "AdministratorAccess",
    "PowerUserAccess",
    "AmazonS3FullAccess",
    "AmazonSQSFullAccess",
    "SecretsManagerReadWrite",
];

/// Managed policies of AWS for functions, as narrow as can be for the logs and network interfaces of a function.
const OF_FUNCTIONS: [&str; 2] = [
    "AWSLambdaVPCAccessExecutionRole",
    "AWSLambdaBasicExecutionRole",
];

/// Managed policies of AWS for instances: a shell, and metrics. Neither reaches the journal, a queue or a secret.
const OF_INSTANCES: [&str; 2] = [
    "AmazonSSMManagedInstanceCore",
    "CloudWatchAgentServerPolicy",
];

/// A role with its policies.
pub struct Role<'a> {
    pub name: &'a str,
    principal: Principal,
    policies: Vec<Policy>,
    /// As JSON, with the name of each.
    pub documents: Vec<(&'a str, &'a Value)>,
    /// Names of the managed policies of AWS.
    pub attached: Vec<&'a str>,
}

impl<'a> Role<'a> {
    pub fn find(
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
        role.note_unlooked(found, findings);
        Some(role)
    }

    /// AWS's own policies are known by their names alone, and a boundary takes from what the policies give.
    fn note_unlooked(&self, found: &Value, findings: &mut Findings) {
        let name = self.name;
        let known = [&FAR_TOO_WIDE[..], &OF_FUNCTIONS, &OF_INSTANCES].concat();
        for attached in &self.attached {
            if !known.contains(attached) {
                findings.note(format!(
                    "could not evaluate the policy {attached} of {name}: it is AWS's own"
                ));
            }
        }
        if found.get("PermissionsBoundary").is_some() {
            findings.note(format!(
                "could not evaluate the permissions boundary of {name}"
            ));
        }
    }

    pub fn is_far_too_wide(&self) -> bool {
        let mut attached = self.attached.iter();
        attached.any(|name| FAR_TOO_WIDE.contains(name))
    }

    /// Whether its policies let it do that, encrypted and under the prefix where that matters.
    pub fn may(&self, names: &Names, action: &str, resource: &str) -> bool {
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

    pub fn is_for_functions(&self, service: &str) -> bool {
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
    let version = versions.find(|version| is_true(version, "IsDefaultVersion"))?;
    Some(&version["Document"])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::account::Call;
    use crate::doctor::aws::AwsAnswer;
    use crate::doctor::{Area, examine};

    #[test]
    fn what_was_not_evaluated_is_noted() {
        let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
        let attached = |name| {
            let arn = format!("arn:aws:iam::aws:policy/{name}");
            json!({"PolicyName": name, "PolicyArn": arn})
        };
        let role = json!({
            "RoleName": names.app_role,
            "AttachedManagedPolicies": [attached("AmazonSSMManagedInstanceCore"), attached("AmazonS3ReadOnlyAccess")],
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::000000000000:policy/bound"},
        });
        let answer = json!({ "RoleDetailList": [role] });
        let account = Account::of([(Call::Iam, AwsAnswer::Found(answer))]);
        let notes = examine(&account, &names, &[Area::Iam]).notes;
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(notes[0].contains("AmazonS3ReadOnlyAccess"), "{notes:?}");
        assert!(notes[1].contains("boundary"), "{notes:?}");
    }

    #[test]
    fn an_account_without_the_network_is_not_clean() {
        let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
        let account = Account::of([(Call::Vpcs, AwsAnswer::Found(json!({"Vpcs": []})))]);
        let notes = examine(&account, &names, &[Area::Instances]).notes;
        assert_eq!(notes.len(), 3, "{notes:?}");
    }
}
