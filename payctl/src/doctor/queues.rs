//! The event queue, if there is one, and the dead-letter queue.

use aws_model::iam::{Context, Decision, Key, Principal, Request, evaluate};
use serde_json::Value;

use super::account::{Account, Call};
use super::json::{list, number, text, texts};
use super::{Findings, Names};

/// Fourteen days, the longest that SQS keeps a message.
const RETENTION: i64 = 1_209_600;

/// AWS asks for so many times the function's timeout.
const VISIBILITY_FACTOR: i64 = 6;

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let function = account.value(&Call::Function);
    dead_letters(account, names, findings);
    let notifications = account.value(&Call::Notifications);
    if !list(notifications, "QueueConfigurations").is_empty() {
        events(account, names, function, findings);
    }
}

fn dead_letters(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(queue) = account.queue(names.dead_letters) else {
        return;
    };
    let name = names.dead_letters;
    if queue.is_null() {
        findings.error("dead-letter-queue-missing", format!("there is no queue named {name}"))
                .causes("an event that failed for good is forgotten")
                .why("function and queue are told to put there what failed for good")
                .mend(format!("aws sqs create-queue --queue-name {name} --attributes MessageRetentionPeriod={RETENTION}"));
    } else if number(queue, "Attributes.MessageRetentionPeriod")
        .is_some_and(|kept| kept < RETENTION)
    {
        findings.warning("dead-letter-retention", format!("{name} keeps dead letters for less than 14 days"))
                .causes("they are gone before somebody has repaired what they failed by")
                .why("a new queue keeps messages for 4 days")
                .mend(format!(
                    "aws sqs set-queue-attributes --attributes MessageRetentionPeriod={RETENTION} \
                     --queue-url $(aws sqs get-queue-url --queue-name {name} --query QueueUrl --output text)"
                ));
    }
}

fn events(account: &Account, names: &Names, function: &Value, findings: &mut Findings) {
    let name = names.queue;
    let Some(queue) = account.queue(name) else {
        return;
    };
    if queue.is_null() {
        findings
            .error(
                "queue-missing",
                format!("S3 tells a queue of new objects, and there is no {name}"),
            )
            .causes("rows come minutes late, by the sweep alone")
            .why("S3 drops events whose queue is gone")
            .mend("page 6 of the notes makes it, trigger B");
        return;
    }
    let set = format!(
        "aws sqs set-queue-attributes --queue-url $(aws sqs get-queue-url --queue-name {name} --query QueueUrl \
         --output text) --attributes"
    );
    let hidden = number(queue, "Attributes.VisibilityTimeout").unwrap_or_default();
    let needed = number(function, "Timeout").unwrap_or_default() * VISIBILITY_FACTOR;
    if hidden < needed {
        findings.error("queue-visibility", format!("{name} shows a message again after {hidden} s"))
                .causes("events are run twice at a time under load, and are dead letters though nothing failed")
                .why(format!(
                    "Lambda may hold a message for {VISIBILITY_FACTOR} times the function's timeout, {needed} s, while it is throttled"
                ))
                .mend(format!("{set} VisibilityTimeout={needed}"));
    }
    if text(queue, "Attributes.RedrivePolicy").is_empty() {
        findings.error("queue-redrive-missing", format!("{name} has no dead-letter queue"))
                .causes("an event that always fails comes again for days, and is gone then")
                .why("SQS moves a message aside only where it is told how often and where to")
                .mend(format!(
                    "{set} '{{\"RedrivePolicy\":\"{{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:{}:{}:{}\\\",\\\"maxReceiveCount\\\":100}}\"}}'",
                    account.region, account.id, names.dead_letters
                ));
    }
    access(account, names, queue, &set, findings);
    mapping(account, names, findings);
}

/// S3 must be let in, for the bucket alone.
fn access(account: &Account, names: &Names, queue: &Value, set: &str, findings: &mut Findings) {
    let json = text(queue, "Attributes.Policy");
    let Ok(policy) = findings.policy_of(names.queue, json) else {
        return;
    };
    let may = |bucket: &str, account_id: &str| {
        let mut context = Context::default();
        context.set(Key::SECURE_TRANSPORT, Some("true"));
        context.set(Key::SOURCE_ARN, Some(format!("arn:aws:s3:::{bucket}")));
        context.set(Key::SOURCE_ACCOUNT, Some(account_id));
        let request = Request {
            principal: &Principal::Service("s3.amazonaws.com".to_owned()),
            action: "sqs:SendMessage",
            resource: text(queue, "Attributes.QueueArn"),
            context: &context,
        };
        evaluate(request, &[], policy.as_ref()) == Decision::Allowed
    };
    let mend = format!(
        "{set} Policy=\"$(policy queue-policy.json)\", with the functions of deploy-notes/settings.sh"
    );
    if !may(&names.bucket, &account.id) {
        findings
            .error(
                "queue-policy",
                format!("the policy of {} does not let S3 send to it", names.queue),
            )
            .causes("rows come minutes late, by the sweep alone")
            .why("a queue says by its own policy which service may send to it")
            .mend(mend);
    } else if may("someone-elses-bucket", "111111111111") {
        findings
            .error(
                "queue-policy-too-wide",
                format!("the policy of {} lets S3 send for any bucket", names.queue),
            )
            .causes("someone else's bucket can fill the queue with events of their making")
            .why("the service s3.amazonaws.com acts for every customer of AWS")
            .mend(mend);
    }
}

fn mapping(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Mappings) else {
        return;
    };
    let of_queue =
        |mapping: &&Value| text(mapping, "EventSourceArn").ends_with(&format!(":{}", names.queue));
    let (name, function) = (names.queue, names.function);
    let Some(mapping) = list(answer, "EventSourceMappings").iter().find(of_queue) else {
        findings.error("mapping-missing", format!("{function} takes no events from {name}"))
                .causes("events pile up in the queue; rows come minutes late, by the sweep alone")
                .why("Lambda polls a queue only by an event source mapping")
                .mend(format!(
                    "aws lambda create-event-source-mapping --function-name {function} --event-source-arn \
                     arn:aws:sqs:{}:{}:{name} --batch-size 10 --scaling-config MaximumConcurrency=10 \
                     --function-response-types ReportBatchItemFailures",
                    account.region, account.id
                ));
        return;
    };
    let uuid = text(mapping, "UUID");
    if text(mapping, "State").starts_with("Disabl") {
        findings
            .error(
                "mapping-disabled",
                format!("the event source mapping {uuid} is disabled"),
            )
            .causes("events pile up in the queue; rows come minutes late, by the sweep alone")
            .why("Lambda polls only while it is enabled")
            .mend(format!(
                "aws lambda update-event-source-mapping --uuid {uuid} --enabled"
            ));
    }
    if !texts(mapping, "FunctionResponseTypes").contains(&"ReportBatchItemFailures") {
        findings.error(
                "batch-failures-ignored",
                format!("the event source mapping {uuid} does not ask which messages failed"),
            )
            .causes("failed events are deleted with the others of their batch: their payments wait for the sweep")
            .why("the function names the messages that failed in its answer, which Lambda then does not read")
            .mend(format!(
                "aws lambda update-event-source-mapping --uuid {uuid} --function-response-types ReportBatchItemFailures"
            ));
    }
}
