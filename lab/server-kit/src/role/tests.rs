use http::header::AUTHORIZATION;
use serde_json::json;

use super::*;

const FUNCTION: &str = "arn:aws:lambda:us-west-2:000000000000:function:FinTechTransactionAlert";
const LETTERS: &str = "arn:aws:sqs:us-west-2:000000000000:FinTechTransactionAlert-dlq";

fn shipped(file: &str) -> PathBuf {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy-notes/iam");
    PathBuf::from(folder).join(file)
}

fn callers(bucket: &str, account: &str) -> Callers {
    let configs = json!([
        {
            "access_key_id": "SERVICE",
            "service": "s3.amazonaws.com",
            "source_arn": format!("arn:aws:s3:::{bucket}"),
        },
        {
            "access_key_id": "ROLE",
            "role": "Lambda-FinTech-Pipeline-Role",
            "policies": [shipped("lambda-fintech-pipeline-role.json")],
        },
    ]);
    let configs: Vec<CallerConfig> = serde_json::from_value(configs).unwrap();
    let operator = AccessKeyIds::new(["OPERATOR".to_owned()]);
    Callers::load(operator, &configs, account).unwrap()
}

fn caller(callers: &Callers, id: &str) -> Result<Caller, AuthError> {
    let header = format!(
        "AWS4-HMAC-SHA256 Credential={id}/20261122/us-west-2/sqs/aws4_request, SignedHeaders=host, Signature=00"
    );
    callers.admit(&HeaderMap::from_iter([(
        AUTHORIZATION,
        header.parse().unwrap(),
    )]))
}

#[test]
fn a_role_may_do_what_its_policies_say_and_the_operator_everything() {
    let callers = callers("fintech-payment-pipeline", "000000000000");
    let role = caller(&callers, "ROLE").unwrap();
    role.authorize("sqs:SendMessage", LETTERS, None).unwrap();
    let refusal = role.authorize("sqs:ReceiveMessage", LETTERS, None);
    let refusal = refusal.unwrap_err().to_string();
    for part in [
        "role/Lambda-FinTech",
        "sqs:ReceiveMessage",
        LETTERS,
        "no policy",
    ] {
        assert!(refusal.contains(part), "{refusal}");
    }
    let operator = caller(&callers, "OPERATOR").unwrap();
    operator
        .authorize("sqs:ReceiveMessage", LETTERS, None)
        .unwrap();
    assert_eq!(caller(&callers, "NOBODY").unwrap_err(), AuthError::Unknown);
}

#[test]
fn a_service_is_let_in_by_the_resources_policy_for_the_named_bucket_and_account_alone() {
    let policy =
        Policy::load(&shipped("lambda-resource-policy.json"), Policy::of_resource).unwrap();
    for (bucket, account, allowed) in [
        ("fintech-payment-pipeline", "000000000000", true),
        ("another", "000000000000", false),
        ("fintech-payment-pipeline", "111111111111", false),
    ] {
        let service = caller(&callers(bucket, account), "SERVICE").unwrap();
        let answer = service.authorize("lambda:InvokeFunction", FUNCTION, Some(&policy));
        assert_eq!(answer.is_ok(), allowed, "{bucket} {account}");
        assert!(
            service
                .authorize("lambda:InvokeFunction", FUNCTION, None)
                .is_err()
        );
    }
}

#[test]
fn a_policy_that_is_missing_is_named() {
    let config = json!([{ "access_key_id": "A", "role": "r", "policies": ["/nowhere/p.json"] }]);
    let configs: Vec<CallerConfig> = serde_json::from_value(config).unwrap();
    let error = Callers::load(AccessKeyIds::new([]), &configs, "000000000000").unwrap_err();
    assert!(error.to_string().contains("/nowhere/p.json"), "{error}");
}
