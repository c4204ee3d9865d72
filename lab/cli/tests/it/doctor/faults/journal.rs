//! The bucket and the function that reads it.

use super::{Fault, fault};

pub(super) const FAULTS: &[Fault] = &[
    // Bucket
    fault(
        "bucket",
        &["bucket-encryption"],
        r#"aws s3api delete-bucket-encryption --bucket "$BUCKET""#,
        r#"aws s3api put-bucket-encryption --bucket "$BUCKET" --server-side-encryption-configuration \
            'Rules=[{ApplyServerSideEncryptionByDefault={SSEAlgorithm=AES256}}]'"#,
    ),
    fault(
        "bucket",
        &["bucket-versioning"],
        r#"aws s3api put-bucket-versioning --bucket "$BUCKET" --versioning-configuration Status=Suspended"#,
        r#"aws s3api put-bucket-versioning --bucket "$BUCKET" --versioning-configuration Status=Enabled"#,
    ),
    fault(
        "bucket",
        &["bucket-public"],
        r#"aws s3api put-public-access-block --bucket "$BUCKET" --public-access-block-configuration \
            BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=false,RestrictPublicBuckets=true"#,
        r#"aws s3api put-public-access-block --bucket "$BUCKET" --public-access-block-configuration \
            BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"#,
    ),
    fault(
        "bucket",
        &["bucket-policy-sse", "bucket-policy-tls"],
        r#"aws s3api delete-bucket-policy --bucket "$BUCKET""#,
        r#"aws s3api put-bucket-policy --bucket "$BUCKET" --policy "$(policy bucket-policy.json)""#,
    ),
    fault(
        "bucket",
        &["bucket-policy-tls"],
        r#"aws s3api put-bucket-policy --bucket "$BUCKET" \
            --policy "$(policy bucket-policy.json | sed 's/"aws:SecureTransport": "false"/"aws:SecureTransport": "true"/')""#,
        r#"aws s3api put-bucket-policy --bucket "$BUCKET" --policy "$(policy bucket-policy.json)""#,
    ),
    fault(
        "function",
        &["notification-missing"],
        r#"kept=$(aws s3api get-bucket-notification-configuration --bucket "$BUCKET" --output json)
        aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration '{}'"#,
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration "$kept""#,
    ),
    fault(
        "function",
        &["notification-filter"],
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" \
            --notification-configuration "${kept/transactions/transaction\/}""#,
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration "$kept""#,
    ),
    fault(
        "function",
        &["notification-filter"],
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration \
            "$(sed -e 's/"prefix"/"suffix"/' -e 's,transactions/,.json,' <<<"$kept")""#,
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration "$kept""#,
    ),
    // Function
    fault(
        "function",
        &["function-runtime"],
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" --runtime provided.al2"#,
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" --runtime provided.al2023"#,
    ),
    fault(
        "function",
        &["function-memory", "function-timeout"],
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" --timeout 3 --memory-size 128"#,
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" --timeout 60 --memory-size 256"#,
    ),
    fault(
        "function",
        &["function-no-vpc"],
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" --vpc-config SubnetIds=[],SecurityGroupIds=[]"#,
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" \
            --vpc-config "SubnetIds=$PRIVATE_A,$PRIVATE_B,SecurityGroupIds=$LAMBDA_SG""#,
    ),
    fault(
        "function",
        &["function-public-subnet"],
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" \
            --vpc-config "SubnetIds=$PRIVATE_A,$PUBLIC_B,SecurityGroupIds=$LAMBDA_SG""#,
        r#"aws lambda update-function-configuration --function-name "$FUNCTION" \
            --vpc-config "SubnetIds=$PRIVATE_A,$PRIVATE_B,SecurityGroupIds=$LAMBDA_SG""#,
    ),
    fault(
        "function",
        &["concurrency-missing"],
        r#"aws lambda delete-function-concurrency --function-name "$FUNCTION""#,
        r#"aws lambda put-function-concurrency --function-name "$FUNCTION" --reserved-concurrent-executions 10"#,
    ),
    fault(
        "function",
        &["concurrency-too-high"],
        r#"aws lambda put-function-concurrency --function-name "$FUNCTION" --reserved-concurrent-executions 500"#,
        r#"aws lambda put-function-concurrency --function-name "$FUNCTION" --reserved-concurrent-executions 10"#,
    ),
    fault(
        "function",
        &["sweep-missing"],
        r#"aws events disable-rule --name "$FUNCTION-sweep""#,
        r#"aws events enable-rule --name "$FUNCTION-sweep""#,
    ),
    // By the queue
    fault(
        "function",
        &["queue-visibility"],
        r#"set_queue 'all["VisibilityTimeout"] = "30"'"#,
        "set_queue",
    ),
    fault(
        "function",
        &["queue-redrive-missing"],
        r#"set_queue 'all["RedrivePolicy"] = ""'"#,
        "set_queue",
    ),
    fault(
        "function",
        &["queue-policy"],
        r#"set_queue 'policy["Statement"][0]["Action"] = "sqs:ReceiveMessage"'"#,
        "set_queue",
    ),
    fault(
        "function",
        &["queue-policy-too-wide"],
        r#"set_queue 'del policy["Statement"][0]["Condition"]'"#,
        "set_queue",
    ),
    fault(
        "function",
        &["dead-letter-retention"],
        r#"aws sqs set-queue-attributes --queue-url "$DEAD_LETTER_QUEUE_URL" --attributes MessageRetentionPeriod=345600"#,
        r#"aws sqs set-queue-attributes --queue-url "$DEAD_LETTER_QUEUE_URL" --attributes MessageRetentionPeriod=1209600"#,
    ),
    fault(
        "function",
        &["mapping-missing"],
        r#"aws lambda delete-event-source-mapping --uuid "$TRIGGER""#,
        r#"TRIGGER=$(aws lambda create-event-source-mapping --function-name "$FUNCTION" --event-source-arn "$QUEUE_ARN" \
            --batch-size 10 --query UUID --output text)"#,
    ),
    fault(
        "function",
        &["batch-failures-ignored"],
        "true",
        r#"aws lambda delete-event-source-mapping --uuid "$TRIGGER"
        TRIGGER=$(aws lambda create-event-source-mapping --function-name "$FUNCTION" --event-source-arn "$QUEUE_ARN" \
            --batch-size 10 --function-response-types ReportBatchItemFailures --query UUID --output text)"#,
    ),
    fault(
        "function",
        &["mapping-disabled"],
        r#"aws lambda update-event-source-mapping --uuid "$TRIGGER" --no-enabled"#,
        r#"aws lambda update-event-source-mapping --uuid "$TRIGGER" --enabled"#,
    ),
    // By S3 itself
    fault(
        "function",
        &["dead-letter-missing", "permission-missing"],
        r#"aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration \
            "$(notify LambdaFunctionConfigurations LambdaFunctionArn "$FUNCTION_ARN")""#,
        r#"aws lambda put-function-event-invoke-config --function-name "$FUNCTION" \
            --destination-config "OnFailure={Destination=$DEAD_LETTER_ARN}""#,
    ),
    fault(
        "function",
        &["permission-too-wide"],
        r#"aws lambda add-permission --function-name "$FUNCTION" --statement-id S3 --action lambda:InvokeFunction \
            --principal s3.amazonaws.com --source-arn "arn:aws:s3:::$BUCKET""#,
        r#"aws lambda remove-permission --function-name "$FUNCTION" --statement-id S3
        aws s3api put-bucket-notification-configuration --bucket "$BUCKET" --notification-configuration "$kept""#,
    ),
];
