//! The tiers' instances, and whether load balancers send requests to them.

use serde_json::Value;

use super::account::{Account, Call};
use super::json::{list, name, text};
use super::network::{find_group, running, vpc};
use super::{Findings, Names};

/// One a zone.
const TARGETS_MIN: usize = 2;

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    for named in names.balancers() {
        let groups = list(account.value(&Call::TargetGroups), "TargetGroups").iter();
        let mut ours = groups.filter(|group| text(group, "TargetGroupName") == named.targets);
        if let Some(group) = ours.next() {
            registered(
                account,
                text(group, "TargetGroupArn"),
                named.targets,
                findings,
            );
        } else {
            findings.note(format!(
                "could not look at the targets of {}: there is no such target group",
                named.targets
            ));
        }
    }
    let Some(vpc) = vpc(account) else { return };
    for instance in running(account, vpc) {
        metadata(instance, findings);
        place(account, instance, vpc, findings);
    }
}

fn registered(account: &Account, arn: &str, name: &str, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Targets(arn.to_owned())) else {
        return;
    };
    let targets = list(answer, "TargetHealthDescriptions");
    if targets.len() < TARGETS_MIN {
        findings
            .error(
                "targets-missing",
                format!("{name} has {} of {TARGETS_MIN} targets", targets.len()),
            )
            .causes("503 where there is none; with one, an outage at each restart of it")
            .why("one instance a zone serves while the other is replaced")
            .mend(format!(
                "aws elbv2 register-targets --target-group-arn {arn} --targets Id=$INSTANCE \
                     (aws ec2 describe-instances shows them)"
            ));
    }
    for target in targets {
        let state = text(target, "TargetHealth.State");
        let id = text(target, "Target.Id");
        if ["unhealthy", "unused", "unavailable"].contains(&state) {
            let reason = text(target, "TargetHealth.Description");
            findings.error("target-unhealthy", format!("the target {id} of {name} is {state}: {reason}"))
                    .causes("it gets no requests; where it is the last one, clients get 502 or 503")
                    .why("its health check fails, its zone is not the load balancer's, or it is stopped")
                    .mend(format!("aws ssm start-session --target {id}, then: journalctl -n 50; curl -i 127.0.0.1:3000/health"));
        }
    }
}

fn metadata(instance: &Value, findings: &mut Findings) {
    let id = text(instance, "InstanceId");
    if text(instance, "MetadataOptions.HttpTokens") != "required" {
        findings
            .error(
                "imds-v1",
                format!(
                    "the instance {} ({id}) answers metadata requests without a token",
                    name(instance)
                ),
            )
            .causes("a request that the machine can be made to send reads the role's credentials")
            .why("version 1 of the metadata service asks for no token")
            .mend(format!(
                "aws ec2 modify-instance-metadata-options --instance-id {id} --http-tokens required"
            ));
    }
}

/// The group by the instance's name; others are nobody's business here.
fn place(account: &Account, instance: &Value, vpc: &str, findings: &mut Findings) {
    let wanted = match name(instance) {
        name if name.starts_with("web-") => "Web Tier SG",
        name if name.starts_with("app-") || name == "operator" => "App Tier SG",
        _ => return,
    };
    let Some(group) = find_group(account, vpc, wanted) else {
        return;
    };
    let (id, group) = (text(instance, "InstanceId"), text(group, "GroupId"));
    let groups = list(instance, "SecurityGroups").iter();
    let groups: Vec<_> = groups.map(|group| text(group, "GroupId")).collect();
    if groups != [group] {
        findings
            .error(
                "instance-group",
                format!(
                    "the instance {} ({id}) has the groups {}, not {wanted} ({group}) alone",
                    name(instance),
                    groups.join(" ")
                ),
            )
            .causes("load balancers can't reach it, or others can")
            .why("the groups of its neighbours name this group")
            .mend(format!(
                "aws ec2 modify-instance-attribute --instance-id {id} --groups {group}"
            ));
    }
}
