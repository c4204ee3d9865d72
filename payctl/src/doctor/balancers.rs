//! Load balancers, their target groups and targets.

mod tls;

use serde_json::Value;
use time::OffsetDateTime;

use super::account::{Account, Call};
use super::json::{list, number, text, texts};
use super::names::Balancer;
use super::network::{find_group, vpc};
use super::{Findings, Names};

/// How long servers keep an idle connection: longer than the load balancer does.
const SERVERS_IDLE_SECONDS: i64 = 75;

/// A request takes up to 8 s.
const DEREGISTRATION_MIN: i64 = 10;
const DEREGISTRATION_MAX: i64 = 120;

pub fn check(account: &Account, names: &Names, findings: &mut Findings) {
    for named in names.balancers() {
        if account.known(&Call::Balancers).is_some() {
            balancer(account, named, findings);
        }
        if account.known(&Call::TargetGroups).is_some() {
            targets(account, named, findings);
        }
    }
    tls::check(account, names, OffsetDateTime::now_utc(), findings);
}

fn balancer(account: &Account, named: Balancer, findings: &mut Findings) {
    let balancers = list(account.value(&Call::Balancers), "LoadBalancers");
    let name = named.name;
    let Some(found) = balancers
        .iter()
        .find(|balancer| text(balancer, "LoadBalancerName") == name)
    else {
        findings
            .error(
                "balancer-missing",
                format!("there is no load balancer named {name}"),
            )
            .causes("nothing reaches the tier behind it")
            .why("clients, and the web tier, know the tier behind it by its name alone")
            .mend("page 7 of the notes makes it");
        return;
    };
    let arn = text(found, "LoadBalancerArn");
    scheme(found, named, findings);
    group(account, found, named, findings);
    idle(account, arn, named, findings);
    attributes(account, arn, named, findings);
    plain(account, arn, named, findings);
    listeners(account, arn, named, findings);
}

fn scheme(found: &Value, named: Balancer, findings: &mut Findings) {
    let scheme = text(found, "Scheme");
    if scheme != named.scheme {
        findings.error(
                "balancer-scheme",
                format!("{} is {scheme}, not {}", named.name, named.scheme),
            )
            .causes(if named.scheme == "internal" {
                "the app tier has an address on the internet"
            } else {
                "clients can't reach it"
            })
            .why("the scheme decides whether its name leads to public addresses")
            .mend(format!(
                "it can't be changed: aws elbv2 delete-load-balancer --load-balancer-arn {}, and page 7 again",
                text(found, "LoadBalancerArn")
            ));
    }
}

fn group(account: &Account, found: &Value, named: Balancer, findings: &mut Findings) {
    let Some(wanted) = vpc(account).and_then(|vpc| find_group(account, vpc, named.group)) else {
        findings.note(format!(
            "could not look at the groups of {}: there is no group {}",
            named.name, named.group
        ));
        return;
    };
    let id = text(wanted, "GroupId");
    let groups = texts(found, "SecurityGroups");
    if groups != [id] {
        findings
            .error(
                "balancer-group",
                format!(
                    "{} has the groups {}, not {} ({id}) alone",
                    named.name,
                    groups.join(" "),
                    named.group
                ),
            )
            .causes("its targets refuse it, or it is open to others than it should be")
            .why("the groups of its targets name this group")
            .mend(format!(
                "aws elbv2 set-security-groups --load-balancer-arn {} --security-groups {id}",
                text(found, "LoadBalancerArn")
            ));
    }
}

fn idle(account: &Account, arn: &str, named: Balancer, findings: &mut Findings) {
    let answer = account.value(&Call::BalancerAttributes(arn.to_owned()));
    let Some(seconds) = attribute(answer, "idle_timeout.timeout_seconds") else {
        return;
    };
    if seconds >= SERVERS_IDLE_SECONDS {
        findings.error(
                "idle-timeout",
                format!("{} keeps idle connections for {seconds} s", named.name),
            )
            .causes("now and then a 502, under no load at all")
            .why(format!(
                "a server closes a connection that idles for {SERVERS_IDLE_SECONDS} s, just as a request comes by it"
            ))
            .mend(format!(
                "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} \
                 --attributes Key=idle_timeout.timeout_seconds,Value=60"
            ));
    }
}

fn attributes(account: &Account, arn: &str, named: Balancer, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::BalancerAttributes(arn.to_owned())) else {
        return;
    };
    let name = named.name;
    let mend = |key: &str| {
        format!(
            "aws elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes Key={key},Value=true"
        )
    };
    let key = "deletion_protection.enabled";
    if !is_on(answer, key) {
        findings
            .warning(
                "balancer-deletable",
                format!("{name} can be deleted by one call"),
            )
            .causes("a slip of the hand takes it, and its name with it")
            .why("deletion protection is off")
            .mend(mend(key));
    }
    let key = "routing.http.drop_invalid_header_fields.enabled";
    if !is_on(answer, key) {
        findings
            .warning(
                "balancer-invalid-headers",
                format!("{name} passes on headers with invalid names"),
            )
            .causes("what two servers read differently can hide one request in another")
            .why(
                "names outside of letters, digits and hyphens are dropped only where it is told so",
            )
            .mend(mend(key));
    }
}

/// Whether an attribute of a load balancer is true.
pub fn is_on(answer: &Value, key: &str) -> bool {
    let mut attributes = list(answer, "Attributes").iter();
    let found = attributes.find(|attribute| text(attribute, "Key") == key);
    found.is_some_and(|attribute| text(attribute, "Value") == "true")
}

/// Clients must not send payments in clear.
fn plain(account: &Account, arn: &str, named: Balancer, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Listeners(arn.to_owned())) else {
        return;
    };
    let is_tls = |listener: &Value| text(listener, "Protocol") == "HTTPS";
    if named.scheme == "internet-facing" && !list(answer, "Listeners").iter().any(is_tls) {
        findings.warning("https-missing", format!("{} takes payments in clear alone", named.name))
                .causes("whoever is on the way reads payments and API keys, and changes them")
                .why("it has no listener with a certificate")
                .mend("page 7 of the notes, with DOMAIN set; an exercise with made-up payments may do without");
    }
}

fn attribute(answer: &Value, key: &str) -> Option<i64> {
    let mut attributes = list(answer, "Attributes").iter();
    let found = attributes.find(|attribute| text(attribute, "Key") == key)?;
    number(found, "Value")
}

fn listeners(account: &Account, arn: &str, named: Balancer, findings: &mut Findings) {
    let Some(answer) = account.known(&Call::Listeners(arn.to_owned())) else {
        return;
    };
    let listens = list(answer, "Listeners").iter().any(|listener| {
        let port = number(listener, "Port");
        port.is_some_and(|port| named.ports.contains(&port))
    });
    if !listens {
        let port = named.ports.first().copied().unwrap_or_default();
        findings.error("listener-missing", format!("{} does not listen on port {port}", named.name))
                .causes("connections to it are refused")
                .why("a load balancer takes connections on the ports of its listeners alone")
                .mend(format!(
                    "aws elbv2 create-listener --load-balancer-arn {arn} --protocol HTTP --port {port} \
                     --default-actions Type=forward,TargetGroupArn=$(aws elbv2 describe-target-groups --names {} \
                     --query 'TargetGroups[0].TargetGroupArn' --output text)",
                    named.targets
                ));
    }
}

fn targets(account: &Account, named: Balancer, findings: &mut Findings) {
    let groups = list(account.value(&Call::TargetGroups), "TargetGroups");
    let name = named.targets;
    let Some(group) = groups
        .iter()
        .find(|group| text(group, "TargetGroupName") == name)
    else {
        findings
            .error(
                "target-group-missing",
                format!("there is no target group named {name}"),
            )
            .causes(format!(
                "{} has nowhere to send requests to: 503",
                named.name
            ))
            .why("a listener forwards to a target group")
            .mend("page 7 of the notes makes it");
        return;
    };
    let arn = text(group, "TargetGroupArn");
    health_check(group, name, findings);
    deregistration(account, arn, name, findings);
}

fn health_check(group: &Value, name: &str, findings: &mut Findings) {
    let arn = text(group, "TargetGroupArn");
    let (path, port) = (
        text(group, "HealthCheckPath"),
        text(group, "HealthCheckPort"),
    );
    let matcher = text(group, "Matcher.HttpCode");
    let (protocol, asks_by) = (text(group, "Protocol"), text(group, "HealthCheckProtocol"));
    let mut wrong = Vec::new();
    if asks_by != protocol {
        wrong.push(format!("asks by {asks_by}, not {protocol}"));
    }
    if path != "/health" {
        wrong.push(format!("asks for {path}, not /health"));
    }
    if !["traffic-port", "3000"].contains(&port) {
        wrong.push(format!("asks port {port}, not the port of the traffic"));
    }
    if matcher != "200" {
        wrong.push(format!("takes {matcher} for healthy, not 200 alone"));
    }
    if wrong.is_empty() {
        return;
    }
    findings.error("health-check", format!("the health check of {name} {}", wrong.join(", and ")))
            .causes("all targets are out and clients get 502 or 503, or one that stops goes on getting requests")
            .why("a tier says by GET /health on its own port that it serves, and by 503 that it is about to stop")
            .mend(format!(
                "aws elbv2 modify-target-group --target-group-arn {arn} --health-check-path /health \
                 --health-check-port traffic-port --health-check-protocol {protocol} --matcher HttpCode=200"
            ));
}

fn deregistration(account: &Account, arn: &str, name: &str, findings: &mut Findings) {
    let answer = account.value(&Call::TargetGroupAttributes(arn.to_owned()));
    let Some(seconds) = attribute(answer, "deregistration_delay.timeout_seconds") else {
        return;
    };
    let (causes, why) = if seconds < DEREGISTRATION_MIN {
        (
            "requests in flight are cut off with 502 at each deployment",
            "a payment may take 8 s, and the load balancer closes its connections after this delay",
        )
    } else if seconds > DEREGISTRATION_MAX {
        (
            "a deployment waits for minutes at each instance",
            "a tier that stops drains for 25 s and is gone; nothing is left to wait for",
        )
    } else {
        return;
    };
    findings
        .warning(
            "deregistration-delay",
            format!("{name} lets go of a target after {seconds} s"),
        )
        .causes(causes)
        .why(why)
        .mend(format!(
            "aws elbv2 modify-target-group-attributes --target-group-arn {arn} \
                 --attributes Key=deregistration_delay.timeout_seconds,Value=60"
        ));
}
