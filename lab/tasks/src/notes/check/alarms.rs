//! Alarms: on metrics that there are, told to a topic that somebody reads.

use serde_json::{Value, json};

use super::{
    Check, Error,
    findings::{Findings, list, text},
};

/// Rings where there is nothing to be seen.
const SILENCE: &str = "payment-sweep";

/// Name, namespace, metric, and the names of its dimensions.
const ALARMS: [[&str; 4]; 14] = [
    [
        "payment-failed",
        "PaymentPipeline",
        "FailedTransactions",
        "",
    ],
    ["payment-lag", "PaymentPipeline", "Lag", ""],
    ["payment-own-rejects", "PaymentPipeline", "OwnRejects", ""],
    [
        "payment-objects-failed",
        "PaymentPipeline",
        "FailedObjects",
        "",
    ],
    ["payment-objects-gone", "PaymentPipeline", "GoneObjects", ""],
    [
        "payment-queue-age",
        "AWS/SQS",
        "ApproximateAgeOfOldestMessage",
        "QueueName",
    ],
    [
        "payment-function-errors",
        "AWS/Lambda",
        "Errors",
        "FunctionName",
    ],
    [SILENCE, "AWS/Lambda", "Invocations", "FunctionName"],
    [
        "payment-dead-letters",
        "AWS/SQS",
        "ApproximateNumberOfMessagesVisible",
        "QueueName",
    ],
    [
        "payment-elb-5xx",
        "AWS/ApplicationELB",
        "HTTPCode_ELB_5XX_Count",
        "LoadBalancer",
    ],
    [
        "payment-target-5xx",
        "AWS/ApplicationELB",
        "HTTPCode_Target_5XX_Count",
        "LoadBalancer",
    ],
    [
        "payment-web-unhealthy",
        "AWS/ApplicationELB",
        "UnHealthyHostCount",
        "LoadBalancer TargetGroup",
    ],
    [
        "payment-app-unhealthy",
        "AWS/ApplicationELB",
        "UnHealthyHostCount",
        "LoadBalancer TargetGroup",
    ],
    [
        "payment-db-storage",
        "AWS/RDS",
        "FreeStorageSpace",
        "DBInstanceIdentifier",
    ],
];

pub(super) async fn check(check: &Check<'_>, findings: &mut Findings) -> Result<(), Error> {
    let answer = check.ask(&["cloudwatch", "describe-alarms"]).await?;
    let topic = check.arn("sns", "payment-alerts");
    let there = list(&answer["MetricAlarms"]);
    // There may be more.
    let is_known = |alarm: &&Value| ALARMS.iter().any(|[name, ..]| alarm["AlarmName"] == *name);
    let seen = there.iter().filter(is_known).map(|alarm| {
        let dimensions = list(&alarm["Dimensions"])
            .iter()
            .map(|dimension| text(&dimension["Name"]));
        let dimensions: Vec<_> = dimensions.collect();
        let [name, space, metric] =
            ["AlarmName", "Namespace", "MetricName"].map(|of| text(&alarm[of]));
        [name, space, metric, dimensions.join(" ")].join(", ")
    });
    findings.same_set("alarms", ALARMS.map(|alarm| alarm.join(", ")), seen);
    for alarm in there {
        let name = text(&alarm["AlarmName"]);
        let missing = if name == SILENCE {
            "breaching"
        } else {
            "notBreaching"
        };
        let expected =
            json!({"AlarmActions": [topic], "ActionsEnabled": true, "TreatMissingData": missing});
        findings.members(name, &expected, alarm);
    }
    let answer = check.ask(&["sns", "list-subscriptions"]).await?;
    let readers = list(&answer["Subscriptions"]).iter().map(|reader| {
        format!(
            "{} of {}",
            text(&reader["Protocol"]),
            text(&reader["TopicArn"])
        )
    });
    findings.same_set("who is told", [format!("email of {topic}")], readers);
    Ok(())
}
