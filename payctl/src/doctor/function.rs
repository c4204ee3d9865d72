//! The function, and who may start it.

use serde_json::Value;

use super::account::{Account, Call};
use super::json::{list, number, text, texts};
use super::network::{is_private, subnets, vpc};
use super::{Findings, Names, database};

/// A sweep over many lost objects, or an object of many payments, takes its time.
const TIMEOUT_MIN: i64 = 30;

/// Two zones.
const SUBNETS_MIN: usize = 2;

/// Connections of others: the app tier's look-ups, an operator.
const CONNECTIONS_OF_OTHERS: i64 = 12;

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(function) = account.known(&Call::Function) else {
        return;
    };
    let name = names.function;
    if text(function, "FunctionArn").is_empty() {
        findings
            .error(
                "function-missing",
                format!("there is no function named {name}"),
            )
            .causes("payments are accepted, and never become rows")
            .why("the function alone turns objects of the log into rows")
            .mend("page 6 of the notes makes it");
        return;
    }
    settings(function, name, findings);
    dead_letters(account, function, names, findings);
    place(account, function, names, findings);
    concurrency(account, names, findings);
    sweep(account, function, name, findings);
    permission(account, function, names, findings);
}

fn settings(function: &Value, name: &str, findings: &mut Findings) {
    let configure = format!("aws lambda update-function-configuration --function-name {name}");
    let runtime = text(function, "Runtime");
    if runtime != "provided.al2023" {
        findings
            .error(
                "function-runtime",
                format!("{name} has the runtime {runtime}"),
            )
            .causes("every run fails at its start")
            .why(
                "the program is a binary named bootstrap, which the runtime provided.al2023 starts",
            )
            .mend(format!(
                "{configure} --runtime provided.al2023 --handler bootstrap"
            ));
    }
    let seconds = number(function, "Timeout").unwrap_or_default();
    if seconds < TIMEOUT_MIN {
        findings
            .warning(
                "function-timeout",
                format!("{name} is stopped after {seconds} s"),
            )
            .causes("large objects and sweeps are cut off, tried again, and given up")
            .why("a run that waits for a lock, a failover or S3 needs more; a new function has 3 s")
            .mend(format!("{configure} --timeout 60"));
    }
    let megabytes = number(function, "MemorySize").unwrap_or_default();
    if megabytes < 256 {
        findings
            .warning("function-memory", format!("{name} has {megabytes} MB"))
            .causes("runs take twice as long or longer, at the same price")
            .why("Lambda gives processor time in proportion to memory")
            .mend(format!("{configure} --memory-size 256"));
    }
}

/// If S3 invokes the function itself. Behind a queue, the queue keeps what failed.
fn dead_letters(account: &Account, function: &Value, names: &Names, findings: &mut Findings) {
    let destination = account.known(&Call::InvokeConfig);
    let destination =
        destination.map(|config| text(config, "DestinationConfig.OnFailure.Destination"));
    let (Some(""), "") = (destination, text(function, "DeadLetterConfig.TargetArn")) else {
        return;
    };
    if is_called(account, text(function, "FunctionArn")) {
        let (name, letters) = (names.function, names.dead_letters);
        findings
            .error(
                "dead-letter-missing",
                format!("{name} has no dead-letter queue"),
            )
            .causes("an event that failed three times is forgotten, and nobody hears of it")
            .why("Lambda drops an event of S3 after its last try where it has nowhere to put it")
            .mend(format!(
                "aws lambda update-function-configuration --function-name {name} \
                     --dead-letter-config TargetArn=arn:aws:sqs:{}:{}:{letters}",
                account.region, account.id
            ));
    }
}

/// Whether S3 calls it itself.
fn is_called(account: &Account, arn: &str) -> bool {
    let notifications = account.value(&Call::Notifications);
    let calls = list(notifications, "LambdaFunctionConfigurations").iter();
    calls
        .map(|rule| text(rule, "LambdaFunctionArn"))
        .any(|called| called == arn)
}

fn place(account: &Account, function: &Value, names: &Names, findings: &mut Findings) {
    let Some(vpc) = vpc(account) else { return };
    let private = subnets(account, names, vpc, is_private);
    let used = texts(function, "VpcConfig.SubnetIds");
    let name = names.function;
    let mend = format!(
        "aws lambda update-function-configuration --function-name {name} --vpc-config SubnetIds={},SecurityGroupIds={}",
        private.join(","),
        match texts(function, "VpcConfig.SecurityGroupIds").join(",") {
            groups if groups.is_empty() => "$LAMBDA_SG".to_owned(),
            groups => groups,
        }
    );
    if used.is_empty() {
        findings
            .error("function-no-vpc", format!("{name} is not in the VPC"))
            .causes("no row is ever inserted: the connection to the database times out")
            .why("the database has no address outside the VPC")
            .mend(mend);
        return;
    }
    let public: Vec<_> = used
        .iter()
        .filter(|subnet| !private.contains(subnet))
        .collect();
    if let Some(subnet) = public.first() {
        findings.error("function-public-subnet", format!("{name} is in {subnet}, which is not one of the private subnets"))
                .causes("the function hangs until its timeout where it reads S3, in some runs or in all")
                .why("S3's endpoint is on the private route table; a function in a public subnet gets no public address")
                .mend(mend);
    } else if used.len() < SUBNETS_MIN {
        findings
            .warning(
                "function-one-zone",
                format!("{name} is in one subnet alone"),
            )
            .causes("rows wait while that zone is away")
            .why("Lambda starts it in the zones of its subnets")
            .mend(mend);
    }
}

fn concurrency(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Concurrency) else {
        return;
    };
    let name = names.function;
    let connections = database::connections_max(account);
    let mend = format!(
        "aws lambda put-function-concurrency --function-name {name} --reserved-concurrent-executions 10"
    );
    let why = "each environment of the function holds one connection, and Lambda starts up to 1000";
    match (number(answer, "ReservedConcurrentExecutions"), connections) {
        (None, _) => findings.error("concurrency-missing", format!("{name} has no reserved concurrency"))
                .causes("under load the database refuses logins (1040), also those of the app tier")
                .why(why)
                .mend(mend),
        (Some(0), _) => findings.error("concurrency-zero", format!("{name} has a reserved concurrency of 0"))
                .causes("no run is started: events wait for six hours and are dead letters then")
                .why("0 throttles the function altogether")
                .mend(mend),
        (Some(reserved), Some(max)) if reserved + CONNECTIONS_OF_OTHERS > max => findings.error(
                "concurrency-too-high",
                format!("{name} may run {reserved} at a time, and the database takes {max} connections in all"),
            )
            .causes("under load the database refuses logins (1040), also those of the app tier")
            .why(why)
            .mend(mend),
        _ => {}
    }
}

fn sweep(account: &Account, function: &Value, name: &str, findings: &mut Findings) {
    let arn = text(function, "FunctionArn");
    let Some(rules) = account.known(&Call::Rules) else {
        return;
    };
    let by_rule = list(rules, "Rules").iter().any(|rule| {
        let call = Call::RuleTargets(text(rule, "Name").to_owned());
        let targets = list(account.value(&call), "Targets");
        text(rule, "State") == "ENABLED"
            && !text(rule, "ScheduleExpression").is_empty()
            && targets.iter().any(|target| text(target, "Arn") == arn)
    });
    let schedules = list(account.value(&Call::Schedules), "Schedules");
    let by_scheduler = schedules.iter().any(|schedule| {
        text(schedule, "Target.Arn") == arn && text(schedule, "State") == "ENABLED"
    });
    if by_rule || by_scheduler {
        return;
    }
    findings.error("sweep-missing", format!("no schedule starts {name}"))
            .causes("a payment whose event was lost, or given up, never becomes a row")
            .why("the sweep compares the bucket with the database; it is a run of the function by the clock")
            .mend(format!(
                "aws events put-rule --name {name}-sweep --schedule-expression 'rate(5 minutes)' --state ENABLED && \
                 aws events put-targets --rule {name}-sweep --targets Id=function,Arn={arn} && aws lambda add-permission \
                 --function-name {name} --statement-id Sweep --action lambda:InvokeFunction --principal \
                 events.amazonaws.com --source-arn $(aws events describe-rule --name {name}-sweep --query Arn --output text)"
            ));
}

/// What S3 needs to invoke the function itself.
fn permission(account: &Account, function: &Value, names: &Names, findings: &mut Findings) {
    let arn = text(function, "FunctionArn");
    let Some(answer) = account.known(&Call::FunctionPolicy) else {
        return;
    };
    if !is_called(account, arn) {
        return;
    }
    let policy: Value = serde_json::from_str(text(answer, "Policy")).unwrap_or_default();
    let statements = list(&policy, "Statement").iter();
    let of_s3: Vec<_> = statements
        .filter(|statement| {
            text(statement, "Effect") == "Allow"
                && text(statement, "Principal.Service") == "s3.amazonaws.com"
        })
        .collect();
    let (name, bucket, id) = (names.function, &names.bucket, &account.id);
    let add = format!(
        "aws lambda add-permission --function-name {name} --statement-id S3InvokesOnNewPayments --action \
         lambda:InvokeFunction --principal s3.amazonaws.com --source-arn arn:aws:s3:::{bucket} --source-account {id}"
    );
    if of_s3.is_empty() {
        findings
            .error("permission-missing", format!("S3 may not invoke {name}"))
            .causes("no payment becomes a row by its event")
            .why("a function says by its own policy which service may invoke it")
            .mend(&*add);
    }
    for statement in of_s3 {
        // AWS documents both keys in small letters in places.
        let condition = statement["Condition"].to_string().to_ascii_lowercase();
        let lacks: Vec<_> = [
            ("aws:sourcearn", "SourceArn"),
            ("aws:sourceaccount", "SourceAccount"),
        ]
        .into_iter()
        .filter(|(key, _)| !condition.contains(key))
        .map(|(_, name)| name)
        .collect();
        if !lacks.is_empty() {
            let sid = text(statement, "Sid");
            findings.error(
                    "permission-too-wide",
                    format!("the permission {sid} of {name} does not name {}", lacks.join(" and ")),
                )
                .causes("someone else's bucket can invoke the function, with events of their making")
                .why("names of buckets are no secret, and a deleted one can be made again in another account")
                .mend(format!(
                    "aws lambda remove-permission --function-name {name} --statement-id {sid} && {add}"
                ));
        }
    }
}
