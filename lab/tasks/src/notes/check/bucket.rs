//! The bucket: versioning, encryption, public access, policy, and notifications.

use anyhow::Result;
use serde_json::json;

use super::{BUCKET, Check, findings::Findings, inner};

pub(super) async fn check(check: &Check<'_>, findings: &mut Findings) -> Result<()> {
    let of_bucket = async |what| check.ask(&["s3api", what, "--bucket", BUCKET]).await;
    let seen = of_bucket("get-bucket-versioning").await?;
    findings.same("bucket, versioning", &json!("Enabled"), &seen["Status"]);
    let seen = of_bucket("get-bucket-encryption").await?;
    let rule = &seen["ServerSideEncryptionConfiguration"]["Rules"][0];
    let seen = &rule["ApplyServerSideEncryptionByDefault"];
    findings.same(
        "bucket, encryption",
        &json!({"SSEAlgorithm": "AES256"}),
        seen,
    );
    let seen = of_bucket("get-public-access-block").await?;
    let all = json!({
        "BlockPublicAcls": true, "IgnorePublicAcls": true,
        "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
    });
    findings.same(
        "bucket, public access",
        &all,
        &seen["PublicAccessBlockConfiguration"],
    );
    let seen = of_bucket("get-bucket-ownership-controls").await?;
    let seen = &seen["OwnershipControls"]["Rules"][0]["ObjectOwnership"];
    findings.same("bucket, ownership", &json!("BucketOwnerEnforced"), seen);
    let seen = of_bucket("get-bucket-policy").await?;
    let policy = check.policy("bucket-policy")?;
    findings.same("bucket, policy", &policy, &inner(&seen["Policy"]));
    let seen = of_bucket("get-bucket-notification-configuration").await?;
    let expected = json!({"QueueConfigurations": [{
        "Id": "ingest",
        "QueueArn": check.arn("sqs", "payments-events"),
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "transactions/"}]}},
    }]});
    findings.same("bucket, notification", &expected, &seen);
    Ok(())
}
