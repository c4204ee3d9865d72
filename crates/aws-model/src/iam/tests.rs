//! Tables after the rules that AWS documents, and the policies that the project ships.

use super::{Context, Decision, Key, Policy, Principal, Request, evaluate};
use Decision::{Allowed, ExplicitlyDenied, NotAllowed};

const APP: &str = include_str!("../../../../deploy-notes/iam/ec2-s3-access-role.json");
const APP_OBJECT_LAYOUT: &str =
    include_str!("../../../../deploy-notes/iam/ec2-s3-access-role-object-layout.json");
const LAMBDA: &str = include_str!("../../../../deploy-notes/iam/lambda-fintech-pipeline-role.json");
const OPERATOR: &str = include_str!("../../../../deploy-notes/iam/operator-role.json");
const BUCKET: &str = include_str!("../../../../deploy-notes/iam/bucket-policy.json");

const PAYMENT: &str = "arn:aws:s3:::fintech-payment-pipeline/transactions/a.ndjson";

fn decide(
    of_identity: &[&str],
    of_bucket: Option<&str>,
    action: &str,
    resource: &str,
    with: &[(Key, &str)],
) -> Decision {
    let principal = Principal::role("000000000000", "EC2-S3-Access-Role");
    let of_identity: Vec<_> = of_identity
        .iter()
        .map(|json| Policy::of_identity(json.as_bytes()).unwrap())
        .collect();
    let of_bucket = of_bucket.map(|json| Policy::of_resource(json.as_bytes()).unwrap());
    let mut context = Context::default();
    context.set(Key::SECURE_TRANSPORT, Some("true"));
    for (key, value) in with {
        context.set(*key, Some(*value));
    }
    let request = Request {
        principal: &principal,
        action,
        resource,
        context: &context,
    };
    evaluate(request, &of_identity, of_bucket.as_ref())
}

/// The policy of one statement with these elements.
fn statement(elements: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{{elements}}}]}}"#)
}

fn allow(elements: &str) -> String {
    statement(&format!(r#""Effect":"Allow",{elements}"#))
}

/// The lines of a table, split at white space.
fn rows<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    let rows = table.lines().filter(|line| !line.trim().is_empty());
    rows.map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        columns
            .try_into()
            .unwrap_or_else(|_| panic!("not {COLUMNS} columns: {line}"))
    })
}

#[test]
fn shipped_policies_decide_as_the_topology_says() {
    let table = "
        app     PutObject     /transactions/a  sse=AES256               allowed
        app     PutObject     /transactions/a  sse=aws:kms              allowed
        app     PutObject     /transactions/a  -                        denied
        app     PutObject     /transactions/a  sse=aws:fsx              denied
        app     PutObject     /other/a         sse=AES256               no
        app     GetObject     /transactions/a  -                        no
        app     DeleteObject  /transactions/a  -                        no
        app     ListBucket    -                prefix=transactions/     no
        object  PutObject     /transactions/a  sse=AES256               allowed
        object  GetObject     /transactions/a  -                        allowed
        object  GetObject     /other/a         -                        no
        lambda  GetObject     /transactions/a  -                        allowed
        lambda  GetObject     /transactions/a  tls=false                denied
        lambda  GetObject     /other/a         -                        no
        lambda  PutObject     /transactions/a  sse=AES256               no
        lambda  ListBucket    -                prefix=transactions/     allowed
        lambda  ListBucket    -                prefix=transactions/d=1  allowed
        lambda  ListBucket    -                prefix=other/            no
        lambda  ListBucket    -                -                        no
        operator  GetObject     /transactions/a  -                        allowed
        operator  GetObject     /releases/a      -                        no
        operator  ListBucket    -                prefix=transactions/     allowed
        operator  ListBucket    -                -                        no
        operator  PutObject     /transactions/a  sse=AES256               no
        operator  DeleteObject  /transactions/a  -                        no
    ";
    for [role, action, object, context, expected] in rows(table) {
        let policies = match role {
            "app" => &[APP][..],
            "object" => &[APP, APP_OBJECT_LAYOUT],
            "operator" => &[OPERATOR],
            _ => &[LAMBDA],
        };
        let action = format!("s3:{action}");
        let resource = format!(
            "arn:aws:s3:::fintech-payment-pipeline{}",
            object.trim_matches('-')
        );
        let context = context.split_once('=').map(|(key, value)| match key {
            "sse" => (Key::ENCRYPTION, value),
            "prefix" => (Key::PREFIX, value),
            _ => (Key::SECURE_TRANSPORT, value),
        });
        let decision = decide(
            policies,
            Some(BUCKET),
            &action,
            &resource,
            context.as_slice(),
        );
        let expected = match expected {
            "allowed" => Allowed,
            "denied" => ExplicitlyDenied,
            _ => NotAllowed,
        };
        assert_eq!(decision, expected, "{role} {action} {resource} {context:?}");
    }
}

#[test]
fn the_operator_may_take_dead_letters_and_no_other_messages() {
    let queue = |name: &str| format!("arn:aws:sqs:us-west-2:000000000000:{name}");
    let letters = queue("FinTechTransactionAlert-dlq");
    for action in [
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
    ] {
        assert_eq!(
            decide(&[OPERATOR], None, action, &letters, &[]),
            Allowed,
            "{action}"
        );
        let events = queue("payments-events");
        assert_eq!(
            decide(&[OPERATOR], None, action, &events, &[]),
            NotAllowed,
            "{action}"
        );
    }
    for action in ["sqs:SendMessage", "sqs:PurgeQueue", "sqs:DeleteQueue"] {
        assert_eq!(
            decide(&[OPERATOR], None, action, &letters, &[]),
            NotAllowed,
            "{action}"
        );
    }
}

#[test]
fn every_shipped_policy_parses() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy-notes/iam");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        Policy::load(&path, Policy::parse).unwrap();
        files += 1;
    }
    assert!(files >= 13, "{files}");
}

#[test]
fn statements_select_by_action_and_resource() {
    let table = r#"
        "Action":"s3:*","Resource":"*"                                        PutObject     yes
        "Action":"*","Resource":"*"                                           PutObject     yes
        "Action":"S3:putobject","Resource":"*"                                PutObject     yes
        "Action":"s3:Put*","Resource":"*"                                     GetObject     no
        "Action":["ec2:*","s3:Get?bject"],"Resource":"*"                      GetObject     yes
        "NotAction":"s3:Delete*","Resource":"*"                               GetObject     yes
        "NotAction":"s3:Delete*","Resource":"*"                               DeleteObject  no
        "Action":"s3:*","Resource":"arn:aws:s3:::fintech-*/transactions/*"    GetObject     yes
        "Action":"s3:*","Resource":"arn:aws:s3:::fintech-payment-pipeline"    GetObject     no
        "Action":"s3:*","Resource":"arn:aws:s3:::Fintech-*"                   GetObject     no
        "Action":"s3:*","Resource":["arn:aws:s3:::a/*","arn:aws:s3:::f*"]     GetObject     yes
        "Action":"s3:*","NotResource":"arn:aws:s3:::*/other/*"                GetObject     yes
        "Action":"s3:*","NotResource":"arn:aws:s3:::*/transactions/*"         GetObject     no
    "#;
    for [elements, action, expected] in rows(table) {
        let action = format!("s3:{action}");
        let decision = decide(&[&allow(elements)], None, &action, PAYMENT, &[]);
        assert_eq!(
            decision == Allowed,
            expected == "yes",
            "{action} under {elements}"
        );
    }
}

/// The last columns: whether the condition holds where the header is `AES256`, and without it.
#[test]
fn conditions_hold_as_documented() {
    let table = r#"
        {"StringEquals":{SSE:"AES256"}}                          yes  no
        {"StringEquals":{SSE:["aws:kms","AES256"]}}              yes  no
        {"StringEquals":{SSE:"aes256"}}                          no   no
        {"StringEqualsIgnoreCase":{SSE:"aes256"}}                yes  no
        {"StringEqualsIfExists":{SSE:"AES256"}}                  yes  yes
        {"StringEqualsIfExists":{SSE:"aws:kms"}}                 no   yes
        {"StringNotEquals":{SSE:"AES256"}}                       no   yes
        {"StringNotEquals":{SSE:["aws:kms","AES256"]}}           no   yes
        {"StringNotEquals":{SSE:"aws:kms"}}                      yes  yes
        {"StringNotEqualsIfExists":{SSE:"AES256"}}               no   yes
        {"StringLike":{SSE:"A?S*"}}                              yes  no
        {"StringLike":{SSE:["aws:*","AES?"]}}                    no   no
        {"StringNotLike":{SSE:"aws:*"}}                          yes  yes
        {"Null":{SSE:"true"}}                                    no   yes
        {"Null":{SSE:false}}                                     yes  no
        {"Bool":{"aws:SecureTransport":"true"}}                  yes  yes
        {"Bool":{"AWS:securetransport":false}}                   no   no
        {"Bool":{"aws:SourceArn":"true"}}                        no   no
        {"BoolIfExists":{"aws:SourceArn":"true"}}                yes  yes
        {"Null":{SSE:"false"},"StringLike":{SSE:"*"}}            yes  no
        {"Null":{SSE:"false"},"StringLike":{SSE:"aws:*"}}        no   no
    "#;
    for [condition, present, absent] in rows(table) {
        let condition = condition.replace("SSE", r#""s3:x-amz-server-side-encryption""#);
        let policy = allow(&format!(
            r#""Action":"s3:*","Resource":"*","Condition":{condition}"#
        ));
        let header = [(Key::ENCRYPTION, "AES256")];
        for (with, expected) in [(&header[..], present), (&[], absent)] {
            let decision = decide(&[&policy], None, "s3:PutObject", PAYMENT, with);
            assert_eq!(
                decision == Allowed,
                expected == "yes",
                "{condition} with {with:?}"
            );
        }
    }
}

#[test]
fn a_deny_anywhere_wins_and_a_bucket_policy_can_allow() {
    let table = r#"
        -    Allow  "*"                                                        allowed
        -    Allow  {"AWS":"*"}                                                allowed
        -    Allow  {"AWS":"arn:aws:iam::000000000000:role/EC2-S3-Access-Role"}  allowed
        -    Allow  {"AWS":["000000000000"]}                                   allowed
        -    Allow  {"AWS":"arn:aws:iam::000000000000:root"}                   allowed
        -    Allow  {"AWS":"arn:aws:iam::000000000000:role/Other"}             no
        -    Allow  {"AWS":"111111111111"}                                     no
        -    Allow  {"Service":"s3.amazonaws.com"}                             no
        all  Deny   "*"                                                        denied
        all  Deny   {"AWS":"arn:aws:iam::000000000000:role/EC2-S3-Access-Role"}  denied
        all  Deny   {"AWS":"arn:aws:iam::000000000000:role/Other"}             allowed
    "#;
    let all = allow(r#""Action":"s3:*","Resource":"*""#);
    for [identity, effect, principal, expected] in rows(table) {
        let of_identity = if identity == "all" {
            vec![all.as_str()]
        } else {
            Vec::new()
        };
        let of_bucket = statement(&format!(
            r#""Effect":"{effect}","Principal":{principal},"Action":"s3:*","Resource":"*""#
        ));
        let decision = decide(&of_identity, Some(&of_bucket), "s3:GetObject", PAYMENT, &[]);
        let expected = match expected {
            "allowed" => Allowed,
            "denied" => ExplicitlyDenied,
            _ => NotAllowed,
        };
        assert_eq!(decision, expected, "{identity} {effect} {principal}");
    }
}

/// The last column is part of the message.
#[test]
fn what_cannot_be_evaluated_is_refused() {
    let table = r#"
        BASE,"Condition":{"NumericLessThan":{"s3:max-keys":"10"}}            NumericLessThan
        BASE,"Condition":{"ForAnyValue:StringEquals":{"s3:prefix":"a"}}      ForAnyValue
        BASE,"Condition":{"NullIfExists":{"s3:prefix":"true"}}               NullIfExists
        BASE,"Condition":{"StringEquals":{"aws:SourceVpce":"vpce-1"}}        aws:SourceVpce
        BASE,"Condition":{"Bool":{"aws:SecureTransport":"no"}}               "no"
        BASE,"Condition":{"StringEquals":{"s3:prefix":[]}}                   s3:prefix
        BASE,"Condition":{"StringLike":{"s3:prefix":"${aws:username}/*"}}    variables
        BASE,"NotAction":"s3:Get*"                                           NotAction
        BASE,"Principal":{"AWS":"arn:aws:sts::000000000000:assumed-role/a"}  assumed-role
        BASE,"Principal":{"Aws":"*"}                                         Aws
        BASE,"Principal":"someone"                                           someone
        BASE,"NotPrincipal":"*"                                              NotPrincipal
        BASE,"Principal":"*"                                                 principal
        BASE,"Comment":"x"                                                   document
        "Resource":"*"                                                       Action
        "Action":"s3:*"                                                      resources
    "#;
    for [elements, expected] in rows(table) {
        let elements = elements.replace("BASE", r#""Action":"s3:*","Resource":"*""#);
        let error = Policy::of_identity(allow(&elements).as_bytes()).unwrap_err();
        let source = std::error::Error::source(&error).map(ToString::to_string);
        let text = format!("{error}: {}", source.unwrap_or_default());
        assert!(text.contains(expected), "{elements} gave {text}");
    }
}

/// AWS's documented examples, with the answers that its documentation gives.
#[test]
fn awss_own_examples_decide_as_documented() {
    // Amazon S3 User Guide, "Blocking unencrypted requests": a bucket that refuses plain HTTP.
    let restrict_to_tls = statement(
        r#""Sid":"RestrictToTLSRequestsOnly","Effect":"Deny","Principal":"*","Action":"s3:*",
           "Resource":["arn:aws:s3:::fintech-payment-pipeline","arn:aws:s3:::fintech-payment-pipeline/*"],
           "Condition":{"Bool":{"aws:SecureTransport":"false"}}"#,
    );
    // Amazon S3 User Guide, SSE-KMS: a put without the header, or with another one, is refused.
    let require_kms = statement(
        r#""Sid":"DenyObjectsThatAreNotSSEKMS","Effect":"Deny","Principal":"*","Action":"s3:PutObject",
           "Resource":"arn:aws:s3:::fintech-payment-pipeline/*",
           "Condition":{"Null":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"true"}}"#,
    );
    // Amazon S3 User Guide, "Bucket policy examples using condition keys": list under one prefix, and a deny for
    // whoever was allowed more elsewhere.
    let prefix_allow = allow(
        r#""Sid":"statement1","Action":"s3:ListBucket","Resource":"arn:aws:s3:::fintech-payment-pipeline",
           "Condition":{"StringEquals":{"s3:prefix":"projects"}}"#,
    );
    let prefix_deny = statement(
        r#""Sid":"statement2","Effect":"Deny","Action":"s3:ListBucket",
           "Resource":"arn:aws:s3:::fintech-payment-pipeline",
           "Condition":{"StringNotEquals":{"s3:prefix":"projects"}}"#,
    );
    // IAM User Guide, "Policy evaluation logic": nothing is allowed by itself, an explicit deny outweighs any allow.
    let everything = allow(r#""Action":"*","Resource":"*""#);
    let deny_here = statement(r#""Effect":"Deny","Action":"s3:*","Resource":"*""#);
    let bucket = PAYMENT.split_once('/').unwrap().0;
    let put = |identity: &[&str], of_bucket: Option<&str>, with: &[(Key, &str)]| {
        decide(identity, of_bucket, "s3:PutObject", PAYMENT, with)
    };
    let list = |identity: &[&str], prefix: &str| {
        decide(
            identity,
            None,
            "s3:ListBucket",
            bucket,
            &[(Key::PREFIX, prefix)],
        )
    };
    let all = everything.as_str();
    assert_eq!(put(&[], None, &[]), NotAllowed);
    assert_eq!(put(&[all], None, &[]), Allowed);
    assert_eq!(put(&[all, &deny_here], None, &[]), ExplicitlyDenied);
    assert_eq!(put(&[&deny_here, all], None, &[]), ExplicitlyDenied);
    let plain = [(Key::SECURE_TRANSPORT, "false")];
    assert_eq!(
        put(&[all], Some(&restrict_to_tls), &plain),
        ExplicitlyDenied
    );
    assert_eq!(put(&[all], Some(&restrict_to_tls), &[]), Allowed);
    assert_eq!(put(&[all], Some(&require_kms), &[]), ExplicitlyDenied);
    let key = [(Key::KMS_KEY_ID, "arn:aws:kms:us-west-2:000000000000:key/a")];
    assert_eq!(put(&[all], Some(&require_kms), &key), Allowed);
    assert_eq!(list(&[&prefix_allow], "projects"), Allowed);
    assert_eq!(list(&[&prefix_allow], "finance"), NotAllowed);
    assert_eq!(list(&[all, &prefix_deny], "projects"), Allowed);
    assert_eq!(list(&[all, &prefix_deny], "finance"), ExplicitlyDenied);
}

#[test]
fn conditions_of_other_services_are_not_looked_at() {
    let policy = allow(
        r#""Action":"kms:Decrypt","Resource":"*","Condition":{"StringEquals":{"kms:ViaService":"s3"}}"#,
    );
    let decision = decide(&[&policy], None, "s3:GetObject", PAYMENT, &[]);
    assert_eq!(decision, NotAllowed);
}
