//! Load balancers, their listeners, targets and health checks.

use anyhow::Result;
use serde_json::{Value, json};

use super::{
    findings::{Findings, list, text},
    names::Names,
};
use crate::notes::stand_in::StandIn;

struct Expected {
    name: &'static str,
    scheme: &'static str,
    subnets: &'static str,
    group: &'static str,
    /// Port, protocol and target group.
    listeners: &'static [&'static str],
    target_group: &'static str,
    targets: &'static str,
}

const BALANCERS: [Expected; 2] = [
    Expected {
        name: "FinTech-ALB",
        scheme: "internet-facing",
        subnets: "public-a, public-b",
        group: "ALB SG",
        listeners: &["80 HTTP to Web-Tier-TG", "443 HTTPS to Web-Tier-TG"],
        target_group: "Web-Tier-TG",
        targets: "web-a, web-b",
    },
    Expected {
        name: "FinTech-Internal-ALB",
        scheme: "internal",
        subnets: "private-a, private-b",
        group: "ILB SG",
        listeners: &["3000 HTTP to AppTier-TG-3000"],
        target_group: "AppTier-TG-3000",
        targets: "app-a, app-b",
    },
];

pub async fn check(account: &StandIn, names: &Names, findings: &mut Findings) -> Result<()> {
    let answer = account.ask(&["elbv2", "describe-load-balancers"]).await?;
    let there = list(&answer["LoadBalancers"]);
    let seen = there
        .iter()
        .map(|balancer| text(&balancer["LoadBalancerName"]));
    findings.same_set(
        "load balancers",
        BALANCERS.map(|expected| expected.name),
        seen,
    );
    let answer = account.ask(&["elbv2", "describe-target-groups"]).await?;
    let groups = list(&answer["TargetGroups"]);
    for expected in &BALANCERS {
        let of_name = |balancer: &&Value| balancer["LoadBalancerName"] == expected.name;
        if let Some(balancer) = there.iter().find(of_name) {
            self::balancer(account, expected, balancer, names, findings).await?;
        }
        let of_name = |group: &&Value| group["TargetGroupName"] == expected.target_group;
        match groups.iter().find(of_name) {
            Some(group) => target_group(account, expected, group, names, findings).await?,
            None => findings.same_set("target groups", [expected.target_group], [""; 0]),
        }
    }
    Ok(())
}

async fn balancer(
    account: &StandIn,
    expected: &Expected,
    seen: &Value,
    names: &Names,
    findings: &mut Findings,
) -> Result<()> {
    let name = expected.name;
    findings.same(name, &json!(expected.scheme), &seen["Scheme"]);
    findings.same(name, &json!("application"), &seen["Type"]);
    let zones = list(&seen["AvailabilityZones"])
        .iter()
        .map(|zone| &zone["SubnetId"]);
    findings.same(name, &json!(expected.subnets), &json!(names.of_all(zones)));
    let groups = names.of_all(list(&seen["SecurityGroups"]));
    findings.same(name, &json!(expected.group), &json!(groups));

    let arn = text(&seen["LoadBalancerArn"]);
    let words = ["elbv2", "describe-listeners", "--load-balancer-arn", &arn];
    let listeners = account.ask(&words).await?;
    let listeners = list(&listeners["Listeners"]).iter().map(|listener| {
        let [port, protocol] = [&listener["Port"], &listener["Protocol"]].map(text);
        let targets = list(&listener["DefaultActions"])
            .iter()
            .map(|action| &action["TargetGroupArn"]);
        format!("{port} {protocol} to {}", names.of_all(targets))
    });
    findings.same_set(
        format!("{name}, listeners"),
        expected.listeners.iter().copied(),
        listeners,
    );
    let words = [
        "elbv2",
        "describe-load-balancer-attributes",
        "--load-balancer-arn",
        &arn,
    ];
    let seen = attributes(&account.ask(&words).await?);
    let expected = json!({
        "idle_timeout.timeout_seconds": "60",
        "routing.http.drop_invalid_header_fields.enabled": "true",
        "deletion_protection.enabled": "true",
        "access_logs.s3.enabled": "true",
    });
    findings.members(name, &expected, &seen);
    Ok(())
}

async fn target_group(
    account: &StandIn,
    expected: &Expected,
    seen: &Value,
    names: &Names,
    findings: &mut Findings,
) -> Result<()> {
    let name = expected.target_group;
    let settings = json!({
        "Protocol": "HTTP", "Port": 3000, "TargetType": "instance",
        "HealthCheckEnabled": true, "HealthCheckProtocol": "HTTP", "HealthCheckPort": "traffic-port",
        "HealthCheckPath": "/health", "HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 2, "UnhealthyThresholdCount": 2, "Matcher": {"HttpCode": "200"},
    });
    findings.members(name, &settings, seen);
    let arn = text(&seen["TargetGroupArn"]);
    let words = [
        "elbv2",
        "describe-target-group-attributes",
        "--target-group-arn",
        &arn,
    ];
    let seen = attributes(&account.ask(&words).await?);
    let delay = json!({"deregistration_delay.timeout_seconds": "60"});
    findings.members(name, &delay, &seen);
    let words = [
        "elbv2",
        "describe-target-health",
        "--target-group-arn",
        &arn,
    ];
    let health = account.ask(&words).await?;
    let targets = list(&health["TargetHealthDescriptions"]);
    let ids = names.of_all(targets.iter().map(|target| &target["Target"]["Id"]));
    findings.same(
        format!("{name}, targets"),
        &json!(expected.targets),
        &json!(ids),
    );
    for target in targets {
        findings.same(
            format!("{name}, port of a target"),
            &json!(3000),
            &target["Target"]["Port"],
        );
    }
    Ok(())
}

/// A list of keys and values, as an object.
fn attributes(answer: &Value) -> Value {
    let attributes = list(&answer["Attributes"]).iter();
    let pairs = attributes.map(|attribute| (text(&attribute["Key"]), attribute["Value"].clone()));
    Value::Object(pairs.collect())
}
