//! The function: its settings, its triggers, and the destination of its failures.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    BUCKET, Check, FUNCTION, FUNCTION_MEMORY_MB, FUNCTION_TIMEOUT_SECONDS,
    findings::{Findings, list, text},
    inner,
    names::Names,
};

pub(super) async fn check(check: &Check<'_>, names: &Names, findings: &mut Findings) -> Result<()> {
    let of_function = async |what| {
        check
            .ask(&["lambda", what, "--function-name", FUNCTION])
            .await
    };
    let seen = of_function("get-function-configuration").await?;
    let settings = json!({
        "Runtime": "provided.al2023", "Handler": "bootstrap", "Architectures": ["x86_64"],
        "Timeout": FUNCTION_TIMEOUT_SECONDS, "MemorySize": FUNCTION_MEMORY_MB,
        "Role": format!("arn:aws:iam::{}:role/Lambda-FinTech-Pipeline-Role", check.number),
    });
    findings.members("function", &settings, &seen);
    let place = &seen["VpcConfig"];
    let subnets = names.of_all(list(&place["SubnetIds"]));
    findings.same(
        "function, subnets",
        &json!("private-a, private-b"),
        &json!(subnets),
    );
    let groups = names.of_all(list(&place["SecurityGroupIds"]));
    findings.same("function, groups", &json!("Lambda SG"), &json!(groups));
    let variables = &seen["Environment"]["Variables"];
    let host = text(&variables["DB_HOST"]);
    let expected = json!({
        "DB_HOST": host, "DB_IAM_AUTH": "true", "DB_CA_BUNDLE": "/opt/rds-global-bundle.pem", "LOG_BUCKET": BUCKET,
    });
    findings.same("function, variables", &expected, variables);
    let is_host = host.starts_with("payment-db.") && host.ends_with(".rds.amazonaws.com");
    findings.same(
        "function, DB_HOST is the address of the database",
        &json!(true),
        &json!(is_host),
    );
    let layers = list(&seen["Layers"])
        .iter()
        .map(|layer| text(&layer["Arn"]));
    findings.same_set(
        "function, layers",
        [check.arn("lambda", "layer:rds-ca:1")],
        layers,
    );
    let seen = of_function("get-function-concurrency").await?;
    let reserve = &seen["ReservedConcurrentExecutions"];
    findings.same("function, reserve", &json!(10), reserve);
    sweep(check, &of_function("get-policy").await?, findings).await?;
    queue(check, findings).await?;
    let seen = check.ask(&["logs", "describe-log-groups"]).await?;
    let group = json!({"logGroupName": format!("/aws/lambda/{FUNCTION}"), "retentionInDays": 400});
    findings.members("log", &group, &seen["logGroups"][0]);
    Ok(())
}

/// Only the schedule may call it: S3 uses the queue.
async fn sweep(check: &Check<'_>, policy: &Value, findings: &mut Findings) -> Result<()> {
    let rule_name = format!("{FUNCTION}-sweep");
    let rule = check.arn("events", &format!("rule/{rule_name}"));
    let expected = json!([{
        "Sid": "Sweep", "Effect": "Allow", "Action": "lambda:InvokeFunction",
        "Principal": {"Service": "events.amazonaws.com"},
        "Resource": check.arn("lambda", &format!("function:{FUNCTION}")),
        "Condition": {"ArnLike": {"AWS:SourceArn": rule}},
    }]);
    let seen = &inner(&policy["Policy"])["Statement"];
    findings.same("function, who may call it", &expected, seen);
    let seen = check.ask(&["events", "list-rules"]).await?;
    let expected = json!({
        "Name": rule_name, "State": "ENABLED", "ScheduleExpression": "rate(5 minutes)",
    });
    findings.members("sweep", &expected, &seen["Rules"][0]);
    let seen = check
        .ask(&["events", "list-targets-by-rule", "--rule", &rule_name])
        .await?;
    let targets = list(&seen["Targets"])
        .iter()
        .map(|target| text(&target["Arn"]));
    let function = check.arn("lambda", &format!("function:{FUNCTION}"));
    findings.same_set("sweep, targets", [function], targets);
    Ok(())
}

async fn queue(check: &Check<'_>, findings: &mut Findings) -> Result<()> {
    let seen = check.ask(&["lambda", "list-event-source-mappings"]).await?;
    let expected = json!({
        "EventSourceArn": check.arn("sqs", "payments-events"),
        "FunctionArn": check.arn("lambda", &format!("function:{FUNCTION}")),
        "State": "Enabled", "BatchSize": 10, "ScalingConfig": {"MaximumConcurrency": 10},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    });
    findings.members("trigger", &expected, &seen["EventSourceMappings"][0]);
    let attributes = async |name| -> Result<Value> {
        let url = check
            .ask(&["sqs", "get-queue-url", "--queue-name", name])
            .await?;
        let url = text(&url["QueueUrl"]);
        let words = [
            "sqs",
            "get-queue-attributes",
            "--attribute-names",
            "All",
            "--queue-url",
            &url,
        ];
        let answer = check.ask(&words).await?;
        Ok(answer["Attributes"].clone())
    };
    let letters = format!("{FUNCTION}-dlq");
    let seen = attributes("payments-events").await?;
    let expected = json!({
        // Six times the function's timeout, and 14 days.
        "VisibilityTimeout": "360", "MessageRetentionPeriod": "1209600",
    });
    findings.members("queue", &expected, &seen);
    findings.same(
        "queue, policy",
        &check.policy("queue-policy")?,
        &inner(&seen["Policy"]),
    );
    let redrive =
        json!({"deadLetterTargetArn": check.arn("sqs", &letters), "maxReceiveCount": 100});
    findings.same(
        "queue, dead letters",
        &redrive,
        &inner(&seen["RedrivePolicy"]),
    );
    let seen = attributes(&letters).await?;
    let expected = json!({"MessageRetentionPeriod": "1209600"});
    findings.members("dead letters", &expected, &seen);
    Ok(())
}
