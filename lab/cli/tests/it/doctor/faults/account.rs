//! The database, and what belongs to the account as a whole.

use super::{Fault, fault};

pub(super) const FAULTS: &[Fault] = &[
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
