//! TLS: that every hop behind the front door has it, or none, and that no certificate ends unnoticed.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::super::account::{Account, Call};
use super::super::json::{list, text};
use super::super::{Findings, Names};

/// ACM renews its own certificates 60 days before their end; what is nearer to it is not renewed.
const NOTICE: time::Duration = time::Duration::days(30);

pub fn check(account: &Account, names: &Names, now: OffsetDateTime, findings: &mut Findings) {
    inside(account, names, findings);
    for named in names.balancers() {
        for listener in listeners(account, named.name) {
            for certificate in list(listener, "Certificates") {
                let arn = text(certificate, "CertificateArn");
                let answer = account.value(&Call::Certificate(arn.to_owned()));
                end(named.name, arn, answer, now, findings);
            }
        }
    }
}

fn listeners<'a>(account: &'a Account, name: &str) -> &'a [Value] {
    let mut balancers = list(account.value(&Call::Balancers), "LoadBalancers").iter();
    let found = balancers.find(|balancer| text(balancer, "LoadBalancerName") == name);
    let arn = found.map_or("", |found| text(found, "LoadBalancerArn"));
    list(account.value(&Call::Listeners(arn.to_owned())), "Listeners")
}

/// The hops from the external load balancer to the app tier are encrypted together, or not at all.
fn inside(account: &Account, names: &Names, findings: &mut Findings) {
    let groups = list(account.value(&Call::TargetGroups), "TargetGroups").iter();
    let ours = names.balancers().map(|named| named.targets);
    let targets = groups.filter(|group| ours.contains(&text(group, "TargetGroupName")));
    let targets = targets.map(|group| (text(group, "TargetGroupName"), text(group, "Protocol")));
    let internal = listeners(account, names.internal.name).iter();
    let internal = internal.map(|listener| (names.internal.name, text(listener, "Protocol")));
    let (tls, plain): (Vec<_>, Vec<_>) = targets
        .chain(internal)
        .partition(|(_, protocol)| *protocol == "HTTPS");
    if tls.is_empty() || plain.is_empty() {
        return;
    }
    let named = |hops: Vec<(&str, &str)>| {
        let names: Vec<_> = hops.into_iter().map(|(name, _)| name).collect();
        names.join(" and ")
    };
    findings.warning(
            "inside-mixed",
            format!("{} speak HTTPS, but {} HTTP", named(tls), named(plain)),
        )
        .causes("payments cross a part of the VPC in clear, or a tier is spoken to as it does not speak: 502")
        .why("each target group and each listener has a protocol of its own")
        .mend("tls-inside.md of the notes; a target group can't change its protocol, so make new ones beside");
}

/// A certificate that is about to end, or has ended.
fn end(balancer: &str, arn: &str, answer: &Value, now: OffsetDateTime, findings: &mut Findings) {
    let certificate = &answer["Certificate"];
    let Ok(end) = OffsetDateTime::parse(text(certificate, "NotAfter"), &Rfc3339) else {
        return;
    };
    if end > now + NOTICE {
        return;
    }
    let mend = if text(certificate, "Type") == "IMPORTED" {
        format!(
            "a new one by the same CA, then: aws acm import-certificate --certificate-arn {arn} \
             --certificate fileb://… --private-key fileb://…"
        )
    } else {
        "the CNAME that proves the name to ACM is gone: page 7 of the notes shows it".to_owned()
    };
    let what = format!("a certificate of {balancer}, {arn}, ends on {}", end.date());
    let finding = if end <= now {
        findings
            .error("certificate-ended", what)
            .causes("no caller that verifies it connects")
    } else {
        findings
            .warning("certificate-ends", what)
            .causes("from then on no caller that verifies it connects")
    };
    let why =
        "a certificate is trusted up to a date alone, and nobody renews one that was imported";
    finding.why(why).mend(mend);
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use time::macros::datetime;

    use super::super::super::aws::AwsAnswer;
    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-27 08:00 UTC);

    /// Codes of what is found, by the protocols of web targets, internal listener and app targets, and the end of
    /// the listener's certificate.
    fn found([web, listener, app]: [&str; 3], not_after: &str) -> Vec<&'static str> {
        let names = Names::new("b".to_owned(), "transactions/".to_owned()).unwrap();
        let balancer = json!({"LoadBalancerName": names.internal.name, "LoadBalancerArn": "ilb"});
        let group = |name, protocol| json!({"TargetGroupName": name, "Protocol": protocol});
        let groups = [
            group(names.external.targets, web),
            group(names.internal.targets, app),
        ];
        let listener = json!({"Protocol": listener, "Certificates": [{"CertificateArn": "c"}]});
        let certificate = json!({"Certificate": {"NotAfter": not_after, "Type": "IMPORTED"}});
        let account = Account::of([
            (
                Call::Balancers,
                AwsAnswer::Found(json!({"LoadBalancers": [balancer]})),
            ),
            (
                Call::TargetGroups,
                AwsAnswer::Found(json!({"TargetGroups": groups})),
            ),
            (
                Call::Listeners("ilb".to_owned()),
                AwsAnswer::Found(json!({"Listeners": [listener]})),
            ),
            (
                Call::Certificate("c".to_owned()),
                AwsAnswer::Found(certificate),
            ),
        ]);
        let mut findings = Findings::default();
        check(&account, &names, NOW, &mut findings);
        findings.found.iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn hops_of_two_protocols_are_found() {
        let later = "2029-01-01T00:00:00+00:00";
        let (tls, plain) = ("HTTPS", "HTTP");
        for same in [[tls; 3], [plain; 3]] {
            assert_eq!(found(same, later), [""; 0]);
        }
        for mixed in [[tls, plain, plain], [plain, tls, tls], [tls, tls, plain]] {
            assert_eq!(found(mixed, later), ["inside-mixed"], "{mixed:?}");
        }
    }

    #[test]
    fn the_end_of_a_certificate_is_seen_a_month_before() {
        for (end, code) in [
            ("2026-11-27T07:00:00+00:00", &["certificate-ended"][..]),
            ("2026-12-20T00:00:00Z", &["certificate-ends"]),
            ("2027-01-01T01:00:00+01:00", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(["HTTPS"; 3], end), code, "{end}");
        }
    }
}
