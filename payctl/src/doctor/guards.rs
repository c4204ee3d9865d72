//! What keeps an account that works from trouble: logs, trails, limits, replacement. All of it is advice: an exercise may
//! do without.

use serde_json::Value;
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use super::account::{Account, Call};
use super::balancers::is_on;
use super::json::{is_true, list, name, number, text};
use super::network::{running, vpc};
use super::{Findings, Names};

/// A month and a few days: how long a machine may be without the newest image.
const INSTANCE_AGE_MAX: Duration = Duration::days(35);

const LOG_GROUPS: [&str; 2] = ["/fintech/web-tier", "/fintech/app-tier"];

pub fn check(account: &Account, names: &Names, now: OffsetDateTime, findings: &mut Findings) {
    tier_logs(account, findings);
    if let Some(vpc) = vpc(account) {
        flow_logs(account, vpc, findings);
        endpoint_policy(account, vpc, findings);
        old_instances(account, vpc, now, findings);
    }
    trail(account, names, findings);
    budget(account, findings);
    access_logs(account, names, findings);
    firewall(account, names, findings);
    replacement(account, names, findings);
    minor_versions(account, names, findings);
}

fn tier_logs(account: &Account, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::LogGroups) else {
        return;
    };
    let groups = list(answer, "logGroups");
    let is_kept = |wanted: &&&str| {
        let found = groups
            .iter()
            .find(|group| text(group, "logGroupName") == **wanted);
        found.is_some_and(|group| number(group, "retentionInDays").is_some())
    };
    let missing: Vec<_> = LOG_GROUPS.iter().filter(|group| !is_kept(group)).collect();
    if let Some(first) = missing.first() {
        findings.advice("tier-logs", format!("there is no log group {first} with a retention"))
                .causes("a tier's log ends with its instance, just when somebody wants to know why it ended")
                .why("journald keeps the log on the instance's own disk")
                .mend("page 14 of the notes");
    }
}

fn flow_logs(account: &Account, vpc: &str, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::FlowLogs) else {
        return;
    };
    let of_vpc = |log: &Value| text(log, "ResourceId") == vpc;
    if !list(answer, "FlowLogs").iter().any(of_vpc) {
        findings
            .advice("flow-logs", format!("{vpc} has no flow log"))
            .causes("nobody can tell afterwards who connected to what, or was refused")
            .why("groups and ACLs keep no record of what they drop")
            .mend("page 15 of the notes");
    }
}

/// A new endpoint lets anyone in the VPC do anything with any bucket.
fn endpoint_policy(account: &Account, vpc: &str, findings: &mut Findings) {
    let endpoints = list(account.value(&Call::Endpoints), "VpcEndpoints").iter();
    let mut ours = endpoints.filter(|endpoint| {
        text(endpoint, "VpcId") == vpc && text(endpoint, "VpcEndpointType") == "Gateway"
    });
    let is_open = |endpoint: &&Value| !text(endpoint, "PolicyDocument").contains("arn:aws:s3:::");
    if let Some(endpoint) = ours.find(is_open) {
        let id = text(endpoint, "VpcEndpointId");
        findings.advice("endpoint-policy", format!("the S3 endpoint {id} leads to every bucket there is"))
                .causes("who gets into a private machine can copy payments into a bucket of his own, by his own keys")
                .why("an endpoint's first policy allows everything; roles bind only who uses the role")
                .mend("page 15 of the notes");
    }
}

fn old_instances(account: &Account, vpc: &str, now: OffsetDateTime, findings: &mut Findings) {
    for instance in running(account, vpc) {
        let Ok(since) = OffsetDateTime::parse(text(instance, "LaunchTime"), &Rfc3339) else {
            continue;
        };
        let age = now - since;
        if age > INSTANCE_AGE_MAX {
            let id = text(instance, "InstanceId");
            let days = age.whole_days();
            findings.advice("instance-old", format!("the instance {} ({id}) was made {days} days ago", name(instance)))
                    .causes("it runs without a month of security fixes, or more")
                    .why("instances are replaced, never patched: a new one starts from the newest image")
                    .mend("page 12 of the notes, with the same version: launch, register, drain, terminate");
        }
    }
}

fn trail(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Trails) else {
        return;
    };
    let trails = list(answer, "trailList");
    let bucket = format!("arn:aws:s3:::{}/", names.bucket);
    let sees_journal = trails.iter().any(|trail| {
        let call = Call::TrailSelectors(text(trail, "TrailARN").to_owned());
        let selectors = account.value(&call).to_string();
        selectors.contains(&bucket)
    });
    let what = if trails.is_empty() {
        "no trail records who calls AWS".to_owned()
    } else if sees_journal {
        return;
    } else {
        format!(
            "no trail records who reads or deletes objects of {}",
            names.bucket
        )
    };
    findings
        .advice("trail", what)
        .causes(
            "nobody can tell afterwards who changed a setting, or took payments out of the bucket",
        )
        .why("CloudTrail keeps 90 days of management events by itself, and no events of objects")
        .mend("page 15 of the notes");
}

fn budget(account: &Account, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Budgets) else {
        return;
    };
    if list(answer, "Budgets").is_empty() {
        findings
            .advice("budget", "no budget limits what this account costs")
            .causes("a NAT gateway left on, or somebody else's machines, show on the bill alone")
            .why("AWS charges what is used, and stops nothing by itself")
            .mend("page 15 of the notes");
    }
}

fn access_logs(account: &Account, names: &Names, findings: &mut Findings) {
    for named in names.balancers() {
        let balancers = list(account.value(&Call::Balancers), "LoadBalancers").iter();
        let mut ours = balancers.filter(|found| text(found, "LoadBalancerName") == named.name);
        let arn = ours
            .next()
            .map(|found| text(found, "LoadBalancerArn").to_owned());
        let Some(answer) = arn.and_then(|arn| account.known(&Call::BalancerAttributes(arn))) else {
            continue;
        };
        if !is_on(answer, "access_logs.s3.enabled") {
            findings.advice("balancer-logs", format!("{} keeps no access log", named.name))
                    .causes("a request that never reached a tier leaves no trace")
                    .why("what the load balancer answers by itself, such as 502 and 503, is in no log of the tiers")
                    .mend("page 16 of the notes");
        }
    }
}

fn firewall(account: &Account, names: &Names, findings: &mut Findings) {
    let balancers = list(account.value(&Call::Balancers), "LoadBalancers").iter();
    let mut ours = balancers.filter(|found| text(found, "LoadBalancerName") == names.external.name);
    let Some(balancer) = ours.next() else { return };
    let call = Call::WebAcl(text(balancer, "LoadBalancerArn").to_owned());
    let Some(answer) = account.known(&call) else {
        return;
    };
    if answer.get("WebACL").is_none_or(Value::is_null) {
        findings.advice("web-acl", format!("{} has no web ACL", names.external.name))
                .causes("one address can take the whole capacity that all clients share")
                .why("limits of clients hold for those that are known; a flood comes without a credential")
                .mend("page 16 of the notes");
    }
}

fn replacement(account: &Account, names: &Names, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::AutoScaling) else {
        return;
    };
    let groups = list(answer, "AutoScalingGroups");
    let targets = list(account.value(&Call::TargetGroups), "TargetGroups");
    for named in names.balancers() {
        let ours = targets
            .iter()
            .find(|group| text(group, "TargetGroupName") == named.targets);
        let Some(arn) = ours.map(|group| text(group, "TargetGroupArn")) else {
            continue;
        };
        let has = |group: &Value| super::json::texts(group, "TargetGroupARNs").contains(&arn);
        if !groups.iter().any(has) {
            findings
                .advice(
                    "replacement",
                    format!("no Auto Scaling group fills {}", named.targets),
                )
                .causes(
                    "an instance that breaks at night stays broken until somebody launches another",
                )
                .why("a load balancer stops using a broken target; it does not make a new one")
                .mend("page 17 of the notes");
        }
    }
}

fn minor_versions(account: &Account, names: &Names, findings: &mut Findings) {
    let mut databases = list(account.value(&Call::Database), "DBInstances").iter();
    if databases.any(|found| !is_true(found, "AutoMinorVersionUpgrade")) {
        let name = names.database;
        findings.advice("database-patches", format!("{name} takes no minor versions by itself"))
                .causes("known faults of MySQL stay until somebody upgrades by hand")
                .why("automatic minor version upgrades are off")
                .mend(format!(
                    "aws rds modify-db-instance --db-instance-identifier {name} --auto-minor-version-upgrade"
                ));
    }
}
