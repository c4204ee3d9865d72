//! The bucket of the log.

use aws_model::iam::{Context, Decision, Key, Policy, Principal, Request, evaluate};
use serde_json::Value;

use super::account::{Account, Call};
use super::json::{is_true, list, text, texts};
use super::{Findings, Names};

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    encryption(account, names, findings);
    versioning(account, names, findings);
    lock(account, names, findings);
    public_access(account, names, findings);
    policy(account, names, findings);
}

fn encryption(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Encryption) else {
        return;
    };
    if list(answer, "ServerSideEncryptionConfiguration.Rules").is_empty() {
        let bucket = &names.bucket;
        findings.error("bucket-encryption", format!("the bucket {bucket} has no default encryption"))
                .causes("what is put without asking for encryption is stored in plain")
                .why("encryption by default is a setting of the bucket")
                .mend(format!(
                    "aws s3api put-bucket-encryption --bucket {bucket} --server-side-encryption-configuration \
                     'Rules=[{{ApplyServerSideEncryptionByDefault={{SSEAlgorithm=AES256}}}}]'"
                ));
    }
}

fn versioning(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Versioning) else {
        return;
    };
    if text(answer, "Status") != "Enabled" {
        let bucket = &names.bucket;
        findings.error("bucket-versioning", format!("the bucket {bucket} keeps no versions"))
                .causes("an object that someone overwrites or deletes is gone, and with it the record of payments")
                .why("S3 keeps what was there before only where versioning is on")
                .mend(format!(
                    "aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled"
                ));
    }
}

fn lock(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::ObjectLock) else {
        return;
    };
    if text(answer, "ObjectLockConfiguration.Rule.DefaultRetention.Mode").is_empty() {
        let bucket = &names.bucket;
        findings.warning("bucket-lock", format!("objects of {bucket} are not locked"))
                .causes("an administrator's slip, or his stolen keys, deletes the record of payments with all versions")
                .why("versions can be deleted one by one; Object Lock keeps each for the days that it is told")
                .mend(format!(
                    "aws s3api put-object-lock-configuration --bucket {bucket} --object-lock-configuration \
                     'ObjectLockEnabled=Enabled,Rule={{DefaultRetention={{Mode=GOVERNANCE,Days=1}}}}'"
                ));
    }
}

fn public_access(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::PublicAccess) else {
        return;
    };
    let blocks = [
        "BlockPublicAcls",
        "IgnorePublicAcls",
        "BlockPublicPolicy",
        "RestrictPublicBuckets",
    ];
    let open: Vec<_> = blocks
        .into_iter()
        .filter(|block| !is_true(answer, &format!("PublicAccessBlockConfiguration.{block}")))
        .collect();
    if !open.is_empty() {
        let bucket = &names.bucket;
        findings.error("bucket-public", format!("the bucket {bucket} does not have {}", open.join(", ")))
                .causes("one wrong policy or ACL shows every payment to the internet")
                .why("these blocks hold whatever a policy or an ACL says")
                .mend(format!(
                    "aws s3api put-public-access-block --bucket {bucket} --public-access-block-configuration {}",
                    blocks.map(|block| format!("{block}=true")).join(",")
                ));
    }
}

/// The policy must deny, to someone whose role may do everything.
fn policy(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::BucketPolicy) else {
        return;
    };
    let json = text(answer, "Policy");
    let Ok(policy) = findings.policy_of(&names.bucket, json) else {
        return;
    };
    let bucket = &names.bucket;
    let mend = format!(
        "aws s3api put-bucket-policy --bucket {bucket} --policy \"$(sed 's/fintech-payment-pipeline/{bucket}/g' \
         deploy-notes/iam/bucket-policy.json)\""
    );
    if !denies(policy.as_ref(), account, names, "false", Some("AES256")) {
        findings
            .error(
                "bucket-policy-tls",
                format!("the policy of {bucket} does not deny requests without TLS"),
            )
            .causes("payments may cross a network in plain")
            .why("S3 answers on plain HTTP as well, unless the bucket's policy denies it")
            .mend(&*mend);
    }
    if !denies(policy.as_ref(), account, names, "true", None) {
        findings
            .error(
                "bucket-policy-sse",
                format!("the policy of {bucket} does not deny puts without an encryption header"),
            )
            .causes("a program that forgets it writes under whatever the bucket's default is then")
            .why("the default can be changed by one call; the policy holds for every put")
            .mend(mend);
    }
}

fn denies(
    policy: Option<&Policy>,
    account: &Account,
    names: &Names,
    tls: &str,
    sse: Option<&str>,
) -> bool {
    let mut context = Context::default();
    context.set(Key::SECURE_TRANSPORT, Some(tls));
    context.set(Key::ENCRYPTION, sse);
    let principal = Principal::role(&account.id, "anyone");
    let resource = format!("arn:aws:s3:::{}/{}x", names.bucket, names.prefix);
    let request = Request {
        principal: &principal,
        action: "s3:PutObject",
        resource: &resource,
        context: &context,
    };
    evaluate(request, &[], policy) == Decision::ExplicitlyDenied
}

/// Each way by which S3 tells of new objects.
pub const WAYS: [(&str, &str); 3] = [
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
];

/// Checks whom the bucket tells of new objects: part of what triggers the function.
pub fn notification(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Notifications) else {
        return;
    };
    let bucket = &names.bucket;
    if answer.get("EventBridgeConfiguration").is_some() {
        return;
    }
    let rules: Vec<_> = WAYS.iter().flat_map(|(way, _)| list(answer, way)).collect();
    let mend = "page 6 of the notes sets it, by trigger A or B: aws s3api put-bucket-notification-configuration \
                --bucket";
    if !rules.iter().any(|rule| tells_of_puts(rule)) {
        findings.error("notification-missing", format!("the bucket {bucket} tells nobody of new objects"))
                .causes("rows come minutes late, by the sweep alone; without a sweep, never")
                .why("S3 calls the function, or its queue, only by a notification for s3:ObjectCreated:*")
                .mend(format!("{mend} {bucket}"));
        return;
    }
    let fits = |rule: &&Value| tells_of_puts(rule) && selects(rule, &names.prefix);
    if !rules.iter().any(fits) {
        findings
            .error(
                "notification-filter",
                format!(
                    "no notification of {bucket} selects {}….ndjson",
                    names.prefix
                ),
            )
            .causes("the function is not called for payments; rows come by the sweep alone")
            .why("a prefix or suffix that does not fit selects nothing, and nobody is told")
            .mend(format!(
                "{mend} {bucket}, with the prefix {} and no suffix",
                names.prefix
            ));
    }
}

fn tells_of_puts(rule: &Value) -> bool {
    let events = texts(rule, "Events");
    let puts = ["s3:ObjectCreated:*", "s3:ObjectCreated:Put"];
    events.iter().any(|event| puts.contains(event))
}

/// Whether every payment passes the filter.
fn selects(rule: &Value, prefix: &str) -> bool {
    list(rule, "Filter.Key.FilterRules").iter().all(|filter| {
        let value = text(filter, "Value");
        match text(filter, "Name").to_ascii_lowercase().as_str() {
            "prefix" => prefix.starts_with(value),
            _ => ".ndjson".ends_with(value),
        }
    })
}
