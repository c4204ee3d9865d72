//! Faults, as commands for the shell of the notes, which has its functions and ids.

/// Functions that the notes have inside a page, and one more fault.
pub const PRELUDE: &str = r#"
notify() {
    printf '{"%s": [{"Id": "ingest", "%s": "%s", "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "transactions/"}]}}}]}' "$@"
}
# The queue's attributes, changed by a statement of Python. All of them each time: moto forgets the policy otherwise.
queue_attributes() {
    python3 - "$(policy queue-policy.json)" "$DEAD_LETTER_ARN" "${1:-pass}" <<'PYTHON'
import json, sys
policy = json.loads(sys.argv[1])
redrive = json.dumps({"deadLetterTargetArn": sys.argv[2], "maxReceiveCount": 100})
all = {"VisibilityTimeout": "360", "RedrivePolicy": redrive}
exec(sys.argv[3])
print(json.dumps({"Policy": json.dumps(policy), **all}))
PYTHON
}
set_queue() {
    aws sqs set-queue-attributes --queue-url "$QUEUE_URL" --attributes "$(queue_attributes "$@")"
}
"#;

pub struct Fault {
    pub area: &'static str,
    pub make: &'static str,
    pub undo: &'static str,
    /// Codes of the findings, in order.
    pub found: &'static [&'static str],
}

const fn fault(
    area: &'static str,
    found: &'static [&'static str],
    make: &'static str,
    undo: &'static str,
) -> Fault {
    Fault {
        area,
        make,
        undo,
        found,
    }
}

pub const FAULTS: &[Fault] = &[
    // Groups
    fault(
        "network",
        &["ssh-open"],
        r#"group_rule add "$WEB_SG" in 22 0.0.0.0/0"#,
        r#"group_rule remove "$WEB_SG" in 22 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["group-too-open"],
        r#"group_rule add "$APP_SG" in 3000 0.0.0.0/0"#,
        r#"group_rule remove "$APP_SG" in 3000 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["group-link-missing"],
        r#"group_rule remove "$ILB_SG" in 3000 "$WEB_SG""#,
        r#"group_rule add "$ILB_SG" in 3000 "$WEB_SG""#,
    ),
    // The wrong port is one rule too many and one missing.
    fault(
        "network",
        &["group-link-missing", "group-too-open"],
        r#"group_rule remove "$RDS_SG" in 3306 "$LAMBDA_SG"; group_rule add "$RDS_SG" in 3307 "$LAMBDA_SG""#,
        r#"group_rule remove "$RDS_SG" in 3307 "$LAMBDA_SG"; group_rule add "$RDS_SG" in 3306 "$LAMBDA_SG""#,
    ),
    fault(
        "network",
        &["group-way-out-missing"],
        r#"group_rule remove "$LAMBDA_SG" out 443 "$S3_PREFIXES""#,
        r#"group_rule add "$LAMBDA_SG" out 443 "$S3_PREFIXES""#,
    ),
    fault(
        "network",
        &["group-way-out-too-open"],
        r#"group_rule add "$RDS_SG" out 443 0.0.0.0/0"#,
        r#"group_rule remove "$RDS_SG" out 443 0.0.0.0/0"#,
    ),
    // ACLs
    fault(
        "network",
        &["acl-ephemeral-hole", "acl-ephemeral-hole"],
        r#"acl_entry "$PRIVATE_ACL" in 190 allow 1024-65535 0.0.0.0/0"#,
        r#"acl_remove "$PRIVATE_ACL" in 190"#,
    ),
    fault(
        "network",
        &["acl-ephemeral-hole"],
        r#"acl_remove "$PRIVATE_ACL" in 210"#,
        r#"acl_entry "$PRIVATE_ACL" in 210 deny 3306 0.0.0.0/0"#,
    ),
    // The quota of 20 entries, including those of the NAT gateway, which are absent now.
    fault(
        "network",
        &["acl-full"],
        r#"for number in $(seq 400 409); do acl_entry "$PUBLIC_ACL" in "$number" allow 443 "10.1.$((number - 400)).0/24"; done"#,
        r#"for number in $(seq 400 409); do acl_remove "$PUBLIC_ACL" in "$number"; done"#,
    ),
    fault(
        "network",
        &["acl-way-back-missing"],
        r#"acl_remove "$PUBLIC_ACL" in 300"#,
        r#"acl_entry "$PUBLIC_ACL" in 300 allow 1024-65535 "$VPC_CIDR""#,
    ),
    fault(
        "network",
        &["acl-way-missing"],
        r#"acl_remove "$PUBLIC_ACL" in 100"#,
        r#"acl_entry "$PUBLIC_ACL" in 100 allow 80 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["acl-way-missing"],
        r#"acl_remove "$PRIVATE_ACL" out 310"#,
        r#"acl_entry "$PRIVATE_ACL" out 310 allow 443 0.0.0.0/0"#,
    ),
    // Routes
    fault(
        "network",
        &["s3-endpoint-missing"],
        r#"aws ec2 delete-vpc-endpoints --vpc-endpoint-ids "$S3_ENDPOINT""#,
        r#"S3_ENDPOINT=$(aws ec2 create-vpc-endpoint --vpc-id "$VPC" --vpc-endpoint-type Gateway \
            --service-name "com.amazonaws.$AWS_REGION.s3" --route-table-ids "$PRIVATE_ROUTES" \
            --query VpcEndpoint.VpcEndpointId --output text)"#,
    ),
    fault(
        "network",
        &["s3-endpoint-not-routed"],
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --remove-route-table-ids "$PRIVATE_ROUTES""#,
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --add-route-table-ids "$PRIVATE_ROUTES""#,
    ),
    fault(
        "network",
        &["nat-unused"],
        r#"nat=$(aws ec2 create-nat-gateway --subnet-id "$PUBLIC_A" --query NatGateway.NatGatewayId --output text)"#,
        r#"aws ec2 delete-nat-gateway --nat-gateway-id "$nat""#,
    ),
    fault("network", &["nat-left-on"], "open_way_out", "close_way_out"),
    // The path to the internet, partly closed.
    fault(
        "network",
        &["group-way-out-too-open"],
        r#"group_rule add "$WEB_SG" out 443 0.0.0.0/0"#,
        r#"group_rule remove "$WEB_SG" out 443 0.0.0.0/0"#,
    ),
    // Endpoints of Systems Manager are not a fault.
    fault("network", &[], "open_endpoints", "close_endpoints"),
    fault(
        "network",
        &["private-subnet-public"],
        r#"aws ec2 create-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY""#,
        r#"aws ec2 delete-route --route-table-id "$PRIVATE_ROUTES" --destination-cidr-block 0.0.0.0/0"#,
    ),
    fault(
        "network",
        &["public-route-missing"],
        r#"aws ec2 delete-route --route-table-id "$PUBLIC_ROUTES" --destination-cidr-block 0.0.0.0/0"#,
        r#"aws ec2 create-route --route-table-id "$PUBLIC_ROUTES" --destination-cidr-block 0.0.0.0/0 --gateway-id "$GATEWAY""#,
    ),
    fault(
        "instances",
        &["imds-v1"],
        r#"aws ec2 modify-instance-metadata-options --instance-id "$APP_A" --http-tokens optional"#,
        r#"aws ec2 modify-instance-metadata-options --instance-id "$APP_A" --http-tokens required"#,
    ),
    // Load balancers
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$WEB_TARGETS" --health-check-path /"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$WEB_TARGETS" --health-check-path /health"#,
    ),
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --health-check-port 80"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --health-check-port traffic-port"#,
    ),
    fault(
        "balancers",
        &["health-check"],
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --matcher HttpCode=200-503"#,
        r#"aws elbv2 modify-target-group --target-group-arn "$APP_TARGETS" --matcher HttpCode=200"#,
    ),
    fault(
        "balancers",
        &["idle-timeout"],
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ILB" --attributes Key=idle_timeout.timeout_seconds,Value=120"#,
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ILB" --attributes Key=idle_timeout.timeout_seconds,Value=60"#,
    ),
    fault(
        "balancers",
        &["deregistration-delay"],
        r#"aws elbv2 modify-target-group-attributes --target-group-arn "$WEB_TARGETS" --attributes Key=deregistration_delay.timeout_seconds,Value=0"#,
        r#"aws elbv2 modify-target-group-attributes --target-group-arn "$WEB_TARGETS" --attributes Key=deregistration_delay.timeout_seconds,Value=60"#,
    ),
    fault(
        "instances",
        &["instance-group"],
        r#"aws ec2 modify-instance-attribute --instance-id "$WEB_A" --groups "$APP_SG""#,
        r#"aws ec2 modify-instance-attribute --instance-id "$WEB_A" --groups "$WEB_SG""#,
    ),
    fault(
        "instances",
        &["targets-missing"],
        r#"aws elbv2 deregister-targets --target-group-arn "$WEB_TARGETS" --targets "Id=$WEB_B""#,
        r#"aws elbv2 register-targets --target-group-arn "$WEB_TARGETS" --targets "Id=$WEB_B""#,
    ),
    fault(
        "balancers",
        &["balancer-group"],
        r#"aws elbv2 set-security-groups --load-balancer-arn "$ILB" --security-groups "$WEB_SG""#,
        r#"aws elbv2 set-security-groups --load-balancer-arn "$ILB" --security-groups "$ILB_SG""#,
    ),
    fault(
        "balancers",
        &["listener-missing"],
        r#"aws elbv2 delete-listener --listener-arn "$(aws elbv2 describe-listeners --load-balancer-arn "$ILB" \
            --query 'Listeners[0].ListenerArn' --output text)""#,
        r#"aws elbv2 create-listener --load-balancer-arn "$ILB" --protocol HTTP --port 3000 \
            --default-actions "Type=forward,TargetGroupArn=$APP_TARGETS""#,
    ),
    fault(
        "balancers",
        &["balancer-deletable", "balancer-invalid-headers"],
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ALB" --attributes \
            Key=deletion_protection.enabled,Value=false \
            Key=routing.http.drop_invalid_header_fields.enabled,Value=false"#,
        r#"aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ALB" --attributes \
            Key=deletion_protection.enabled,Value=true \
            Key=routing.http.drop_invalid_header_fields.enabled,Value=true"#,
    ),
    fault(
        "balancers",
        &["https-missing"],
        r#"aws elbv2 delete-listener --listener-arn "$(aws elbv2 describe-listeners --load-balancer-arn "$ALB" \
            --query 'Listeners[?Port==`443`].ListenerArn | [0]' --output text)""#,
        r#"listener "$ALB" 443 "$WEB_TARGETS" --protocol HTTPS --certificates "CertificateArn=$CERTIFICATE""#,
    ),
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
    // Database
    fault(
        "database",
        &["database-public"],
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --publicly-accessible --apply-immediately"#,
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --no-publicly-accessible --apply-immediately"#,
    ),
    fault(
        "database",
        &["database-one-zone"],
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --no-multi-az --apply-immediately"#,
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --multi-az --apply-immediately"#,
    ),
    fault(
        "database",
        &["database-backups"],
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --backup-retention-period 0 --apply-immediately"#,
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --backup-retention-period 7 --apply-immediately"#,
    ),
    fault(
        "database",
        &["database-deletable"],
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --no-deletion-protection --apply-immediately"#,
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --deletion-protection --apply-immediately"#,
    ),
    fault(
        "database",
        &["database-plain-connections"],
        r#"aws rds modify-db-parameter-group --db-parameter-group-name "$DATABASE" \
            --parameters ParameterName=require_secure_transport,ParameterValue=0,ApplyMethod=immediate"#,
        r#"aws rds modify-db-parameter-group --db-parameter-group-name "$DATABASE" \
            --parameters ParameterName=require_secure_transport,ParameterValue=1,ApplyMethod=immediate"#,
    ),
    fault(
        "database",
        &["database-binlog-statement"],
        r#"aws rds modify-db-parameter-group --db-parameter-group-name "$DATABASE" \
            --parameters ParameterName=binlog_format,ParameterValue=STATEMENT,ApplyMethod=immediate"#,
        r#"aws rds modify-db-parameter-group --db-parameter-group-name "$DATABASE" \
            --parameters ParameterName=binlog_format,ParameterValue=ROW,ApplyMethod=immediate"#,
    ),
    fault(
        "database",
        &["database-group"],
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --vpc-security-group-ids "$RDS_SG" "$APP_SG" \
            --apply-immediately"#,
        r#"aws rds modify-db-instance --db-instance-identifier "$DATABASE" --vpc-security-group-ids "$RDS_SG" \
            --apply-immediately"#,
    ),
    // Alarms
    fault(
        "alarms",
        &["alarm-missing"],
        "aws cloudwatch delete-alarms --alarm-names payment-dead-letter-errors",
        r#"alarm payment-dead-letter-errors --namespace AWS/Lambda --metric-name DeadLetterErrors --statistic Sum \
            --dimensions "Name=FunctionName,Value=$FUNCTION" --period 60 --evaluation-periods 1 --threshold 1"#,
    ),
    // The alarm counts runs that the schedule did not start.
    fault(
        "alarms",
        &["alarm-wrong"],
        r#"alarm payment-sweep --namespace AWS/Lambda --metric-name Invocations --treat-missing-data breaching \
            --dimensions "Name=FunctionName,Value=$FUNCTION" --comparison-operator LessThanThreshold --statistic Sum \
            --period 900 --evaluation-periods 1 --threshold 1"#,
        r#"alarm payment-sweep --namespace AWS/Events --metric-name Invocations --treat-missing-data breaching \
            --dimensions "Name=RuleName,Value=$FUNCTION-sweep" --comparison-operator LessThanThreshold --statistic Sum \
            --period 900 --evaluation-periods 1 --threshold 1"#,
    ),
    fault(
        "alarms",
        &["alarm-wrong"],
        "aws cloudwatch disable-alarm-actions --alarm-names payment-lag",
        "aws cloudwatch enable-alarm-actions --alarm-names payment-lag",
    ),
    fault(
        "alarms",
        &["alarms-unread"],
        r#"aws sns unsubscribe --subscription-arn "$(aws sns list-subscriptions \
            --query 'Subscriptions[0].SubscriptionArn' --output text)""#,
        r#"aws sns subscribe --topic-arn "$ALERTS" --protocol email --notification-endpoint "$ALERT_EMAIL""#,
    ),
    // Guards: the tiers have no groups that replace them before page 17.
    fault(
        "guards",
        &["endpoint-policy", "replacement", "replacement"],
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --policy-document \
            '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}'"#,
        r#"aws ec2 modify-vpc-endpoint --vpc-endpoint-id "$S3_ENDPOINT" --policy-document "$(policy s3-endpoint-policy.json)""#,
    ),
    fault(
        "guards",
        &[
            "balancer-logs",
            "budget",
            "flow-logs",
            "replacement",
            "replacement",
            "tier-logs",
            "trail",
            "web-acl",
        ],
        r#"aws logs delete-retention-policy --log-group-name /fintech/web-tier
        aws budgets delete-budget --account-id "$ACCOUNT" --budget-name payments
        aws ec2 delete-flow-logs --flow-log-ids "$FLOW_LOG"
        aws cloudtrail put-event-selectors --trail-name payments --event-selectors \
            '[{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]'
        aws elbv2 modify-load-balancer-attributes --load-balancer-arn "$ILB" --attributes \
            Key=access_logs.s3.enabled,Value=false
        aws wafv2 disassociate-web-acl --resource-arn "$ALB""#,
        "true",
    ),
    // Roles
    fault(
        "iam",
        &["grant-missing"],
        r#"aws iam put-role-policy --role-name "$OPERATOR_ROLE" --policy-name operator-role \
            --policy-document "$(policy operator-role.json | sed 's/sqs:ReceiveMessage/sqs:PurgeQueue/')""#,
        r#"inline "$OPERATOR_ROLE" operator-role"#,
    ),
    fault(
        "iam",
        &["grant-too-wide"],
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name lambda-database-iam \
            --policy-document "$(policy lambda-database-iam.json | sed 's/dbuser:[^/]*/dbuser:*/')""#,
        r#"inline "$FUNCTION_ROLE" lambda-database-iam"#,
    ),
    fault(
        "iam",
        &["grant-missing"],
        r#"aws iam delete-role-policy --role-name "$APP_ROLE" --policy-name ec2-s3-access-role"#,
        r#"aws iam put-role-policy --role-name "$APP_ROLE" --policy-name ec2-s3-access-role \
            --policy-document "$(policy ec2-s3-access-role.json)""#,
    ),
    fault(
        "iam",
        &["grant-missing"],
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name lambda-fintech-pipeline-role \
            --policy-document "$(policy lambda-fintech-pipeline-role.json | sed 's/s3:ListBucket/s3:ListBucketVersions/')""#,
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name lambda-fintech-pipeline-role \
            --policy-document "$(policy lambda-fintech-pipeline-role.json)""#,
    ),
    fault(
        "iam",
        &["grant-too-wide"],
        r#"aws iam put-role-policy --role-name "$APP_ROLE" --policy-name ec2-s3-access-role \
            --policy-document "$(policy ec2-s3-access-role.json | sed 's/s3:PutObject/s3:*/')""#,
        r#"aws iam put-role-policy --role-name "$APP_ROLE" --policy-name ec2-s3-access-role \
            --policy-document "$(policy ec2-s3-access-role.json)""#,
    ),
    fault(
        "iam",
        &["grant-too-wide"],
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name lambda-fintech-pipeline-role \
            --policy-document "$(policy lambda-fintech-pipeline-role.json | sed 's/"arn:aws:sqs[^"]*"/"*"/')""#,
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name lambda-fintech-pipeline-role \
            --policy-document "$(policy lambda-fintech-pipeline-role.json)""#,
    ),
    fault(
        "iam",
        &["grant-too-wide"],
        r#"aws iam attach-role-policy --role-name "$APP_ROLE" --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess"#,
        r#"aws iam detach-role-policy --role-name "$APP_ROLE" --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess"#,
    ),
    fault(
        "iam",
        &["grant-changes-record"],
        r#"aws iam put-role-policy --role-name "$FUNCTION_ROLE" --policy-name delete --policy-document \
            "$(policy ec2-s3-access-role-object-layout.json | sed 's/s3:GetObject/s3:DeleteObject/')""#,
        r#"aws iam delete-role-policy --role-name "$FUNCTION_ROLE" --policy-name delete"#,
    ),
    fault(
        "iam",
        &["web-tier-reaches-s3"],
        r#"aws iam put-role-policy --role-name "$WEB_ROLE" --policy-name s3 --policy-document \
            "$(policy ec2-s3-access-role.json)""#,
        r#"aws iam delete-role-policy --role-name "$WEB_ROLE" --policy-name s3"#,
    ),
];
