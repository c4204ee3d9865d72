//! Alarms: that each is there, looks at what it should, and tells somebody.

use serde_json::Value;

use super::account::{Account, Call};
use super::json::{is_true, list, text, texts};
use super::{Findings, Names};

const TOPIC: &str = "payment-alerts";

struct Alarm {
    name: &'static str,
    namespace: &'static str,
    metric: &'static str,
    /// Names of its dimensions, in order.
    dimensions: &'static [&'static str],
    /// What goes unnoticed without it.
    unnoticed: &'static str,
    /// Alarms when there is no data.
    by_silence: bool,
}

const fn alarm(
    name: &'static str,
    [namespace, metric]: [&'static str; 2],
    dimensions: &'static [&'static str],
    unnoticed: &'static str,
) -> Alarm {
    Alarm {
        name,
        namespace,
        metric,
        dimensions,
        unnoticed,
        by_silence: false,
    }
}

const OURS: &str = "PaymentPipeline";
const FUNCTION: &[&str] = &["FunctionName"];
const QUEUE: &[&str] = &["QueueName"];
const BALANCER: &[&str] = &["LoadBalancer"];
const TARGETS: &[&str] = &["LoadBalancer", "TargetGroup"];
const DATABASE: &[&str] = &["DBInstanceIdentifier"];
const INSTANCE: &[&str] = &["InstanceId"];

const ALARMS: [Alarm; 29] = [
    alarm(
        "payment-failed",
        [OURS, "FailedTransactions"],
        &[],
        "payments with status failed",
    ),
    alarm("payment-lag", [OURS, "Lag"], &[], "rows that come late"),
    alarm(
        "payment-rejects",
        [OURS, "Rejects"],
        &[],
        "lines in the bucket that are no payments",
    ),
    alarm(
        "payment-own-rejects",
        [OURS, "OwnRejects"],
        &[],
        "accepted payments that are no rows",
    ),
    alarm(
        "payment-objects-failed",
        [OURS, "FailedObjects"],
        &[],
        "objects that can't be ingested",
    ),
    alarm(
        "payment-objects-gone",
        [OURS, "GoneObjects"],
        &[],
        "objects that someone deleted",
    ),
    alarm(
        "payment-queue-age",
        ["AWS/SQS", "ApproximateAgeOfOldestMessage"],
        QUEUE,
        "events that nobody takes",
    ),
    alarm(
        "payment-dead-letters",
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible"],
        QUEUE,
        "events that failed for good",
    ),
    alarm(
        "payment-dead-letter-errors",
        ["AWS/Lambda", "DeadLetterErrors"],
        FUNCTION,
        "failed events that reach no queue, and are lost",
    ),
    alarm(
        "payment-function-errors",
        ["AWS/Lambda", "Errors"],
        FUNCTION,
        "a function that fails",
    ),
    alarm(
        "payment-function-throttles",
        ["AWS/Lambda", "Throttles"],
        FUNCTION,
        "events that find no free run of the function",
    ),
    Alarm {
        by_silence: true,
        ..alarm(
            "payment-sweep",
            ["AWS/Events", "Invocations"],
            &["RuleName"],
            "a schedule that does not start the sweep any more",
        )
    },
    alarm(
        "payment-elb-5xx",
        ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count"],
        BALANCER,
        "clients that get 5xx",
    ),
    alarm(
        "payment-target-5xx",
        ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"],
        BALANCER,
        "clients that get 5xx",
    ),
    alarm(
        "payment-web-unhealthy",
        ["AWS/ApplicationELB", "UnHealthyHostCount"],
        TARGETS,
        "a web instance that is ill",
    ),
    alarm(
        "payment-app-unhealthy",
        ["AWS/ApplicationELB", "UnHealthyHostCount"],
        TARGETS,
        "an app instance that is ill",
    ),
    alarm(
        "payment-db-storage",
        ["AWS/RDS", "FreeStorageSpace"],
        DATABASE,
        "a database whose disk fills up",
    ),
    alarm(
        "payment-db-memory",
        ["AWS/RDS", "FreeableMemory"],
        DATABASE,
        "a database that runs out of memory",
    ),
    alarm(
        "payment-db-connections",
        ["AWS/RDS", "DatabaseConnections"],
        DATABASE,
        "logins that are soon refused",
    ),
    alarm(
        "payment-db-cpu",
        ["AWS/RDS", "CPUUtilization"],
        DATABASE,
        "a database that can't keep up",
    ),
    alarm(
        "payment-db-credits",
        ["AWS/RDS", "CPUCreditBalance"],
        DATABASE,
        "a database that lives on credit, and costs more",
    ),
    alarm(
        "payment-web-a-status",
        ["AWS/EC2", "StatusCheckFailed"],
        INSTANCE,
        "a machine that AWS finds broken",
    ),
    alarm(
        "payment-web-b-status",
        ["AWS/EC2", "StatusCheckFailed"],
        INSTANCE,
        "a machine that AWS finds broken",
    ),
    alarm(
        "payment-app-a-status",
        ["AWS/EC2", "StatusCheckFailed"],
        INSTANCE,
        "a machine that AWS finds broken",
    ),
    alarm(
        "payment-app-b-status",
        ["AWS/EC2", "StatusCheckFailed"],
        INSTANCE,
        "a machine that AWS finds broken",
    ),
    alarm(
        "payment-web-a-credits",
        ["AWS/EC2", "CPUCreditBalance"],
        INSTANCE,
        "an instance that lives on credit",
    ),
    alarm(
        "payment-web-b-credits",
        ["AWS/EC2", "CPUCreditBalance"],
        INSTANCE,
        "an instance that lives on credit",
    ),
    alarm(
        "payment-app-a-credits",
        ["AWS/EC2", "CPUCreditBalance"],
        INSTANCE,
        "an instance that lives on credit",
    ),
    alarm(
        "payment-app-b-credits",
        ["AWS/EC2", "CPUCreditBalance"],
        INSTANCE,
        "an instance that lives on credit",
    ),
];

const MEND: &str = "page 10 of the notes makes it; its command may be run again";

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Alarms) else {
        return;
    };
    let there = list(answer, "MetricAlarms");
    for wanted in &ALARMS {
        let Some(found) = there
            .iter()
            .find(|alarm| text(alarm, "AlarmName") == wanted.name)
        else {
            findings
                .warning(
                    "alarm-missing",
                    format!("there is no alarm {}", wanted.name),
                )
                .causes(format!("nobody is told of {}", wanted.unnoticed))
                .why("CloudWatch tells of what an alarm looks at alone")
                .mend(MEND);
            continue;
        };
        wanted.check(found, names, findings);
    }
    told(account, findings);
}

impl Alarm {
    fn check(&self, found: &Value, names: &Names, findings: &mut Findings) {
        let mut wrong = Vec::new();
        let (namespace, metric) = (text(found, "Namespace"), text(found, "MetricName"));
        let dimensions = list(found, "Dimensions").iter();
        let dimensions: Vec<_> = dimensions
            .map(|dimension| text(dimension, "Name"))
            .collect();
        if (namespace, metric) != (self.namespace, self.metric) || dimensions != self.dimensions {
            wrong.push(format!(
                "looks at {namespace} {metric} by {}",
                dimensions.join(" ")
            ));
        }
        if self.by_silence {
            let rule = format!("{}-sweep", names.function);
            let watched = list(found, "Dimensions")
                .iter()
                .map(|dimension| text(dimension, "Value"));
            if !watched.eq([rule.as_str()]) {
                wrong.push(format!("does not look at the rule {rule}"));
            }
        }
        let missing = if self.by_silence {
            "breaching"
        } else {
            "notBreaching"
        };
        if text(found, "TreatMissingData") != missing {
            wrong.push(format!("does not take missing data as {missing}"));
        }
        if !is_true(found, "ActionsEnabled") || texts(found, "AlarmActions").is_empty() {
            wrong.push("tells nobody".to_owned());
        }
        if !wrong.is_empty() {
            findings
                .warning(
                    "alarm-wrong",
                    format!("the alarm {} {}", self.name, wrong.join(", and ")),
                )
                .causes(format!("nobody is told of {}", self.unnoticed))
                .why("an alarm rings by its metric, its dimensions and what it does without data")
                .mend(MEND);
        }
    }
}

/// Somebody must read what the topic tells.
fn told(account: &Account, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Subscriptions) else {
        return;
    };
    let suffix = format!(":{TOPIC}");
    let reads = |reader: &&Value| {
        text(reader, "TopicArn").ends_with(&suffix)
            && text(reader, "SubscriptionArn") != "PendingConfirmation"
    };
    if !list(answer, "Subscriptions")
        .iter()
        .any(|reader| reads(&reader))
    {
        findings
            .error(
                "alarms-unread",
                format!("nobody reads what the topic {TOPIC} tells"),
            )
            .causes("alarms ring, and nobody hears them")
            .why("a subscription counts only once the mail that AWS sends was confirmed")
            .mend("confirm the mail, or page 10 of the notes subscribes again");
    }
}
