//! Tests reachability for real: a connection from every host to every port, and what S3 allows each role.
//!
//! Results are compared with what should be, host by host. A rule that is too permissive is reported even if another
//! one still blocks the traffic; for traffic from the internet, the router reports which packets its ACLs let pass.

pub mod s3;

use std::{collections::HashSet, net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result};
use aws_model::network::{Cell, Finding, Host, Table, Tier};
use futures::future::join_all;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::{
    lab::Lab,
    vpc::{Vpc, doorway::Doorway, rules::ADMITTED},
};

/// A dropped packet is never answered; any other is answered within a millisecond.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Results of the tests.
#[derive(Debug)]
pub struct Report {
    pub found: Table,
    pub wanted: Table,
    /// Differences from what should be, one per line.
    pub faults: Vec<String>,
}

impl Report {
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.found == self.wanted
    }
}

/// One pair, and the result.
struct Tried<'a> {
    from: &'a Host,
    to: &'a Host,
    port: u16,
    reached: bool,
}

/// Tests everything in a lab that is up.
pub async fn try_all(vpc: &Vpc, lab: &Lab) -> Result<Report> {
    let tried = connect_all(vpc).await?;
    let allowed = s3::try_roles(vpc, lab).await?;
    let mut faults = Vec::new();
    let found = vpc.network.table_by(|from, to, _| {
        let of_tiers = tried
            .iter()
            .filter(|tried| tried.from.tier == from.name && tried.to.tier == to.name);
        let cell = vpc
            .network
            .cell(from, to, of_tiers.map(|tried| tried.reached));
        let role = allowed.iter().find(|role| role.tier == from.name);
        match (role, &cell) {
            (Some(role), Cell::Actions(..)) => {
                faults.extend(role.beyond.iter().cloned());
                let prefix = vpc
                    .network
                    .flow(from, to)
                    .and_then(|flow| flow.prefix.clone());
                prefix.map_or(cell, |prefix| Cell::Actions(role.actions.clone(), prefix))
            }
            _ => cell,
        }
    });
    faults.extend(tried.iter().filter_map(|tried| differs(vpc, tried)));
    let admitted = admitted(vpc)?;
    let findings = vpc.network.audit();
    for finding in &findings {
        faults.push(told(finding, &admitted));
    }
    faults.extend(unexplained(vpc, &admitted, &findings));
    Ok(Report {
        found,
        wanted: vpc.network.wanted(),
        faults,
    })
}

/// Tests one pair.
pub async fn try_one(vpc: &Vpc, from: &Host, to: &Host, port: u16) -> Result<bool> {
    let doorway = Doorway::open(&vpc.namespace(from.name.as_str()))?;
    Ok(connect(&doorway, to.address, port).await)
}

async fn connect_all(vpc: &Vpc) -> Result<Vec<Tried<'_>>> {
    let network = &vpc.network;
    let mut attempts = Vec::new();
    let rows = network.tiers.iter().filter(|tier| is_asked(tier));
    for from in rows.flat_map(|tier| &tier.hosts) {
        let doorway = Doorway::open(&vpc.namespace(from.name.as_str()))?;
        for (tier, port) in network
            .tiers
            .iter()
            .filter_map(|tier| Some((tier, tier.port?)))
        {
            for to in tier.hosts.iter().filter(|to| to.name != from.name) {
                let doorway = doorway.clone();
                attempts.push(async move {
                    let reached = connect(&doorway, to.address, port).await;
                    Tried {
                        from,
                        to,
                        port,
                        reached,
                    }
                });
            }
        }
    }
    Ok(join_all(attempts).await)
}

/// Whether a tier opens connections; S3 only answers.
fn is_asked(tier: &Tier) -> bool {
    tier.group.is_some() || tier.port.is_none()
}

/// Whether packets pass in both directions. A refused connection counts: it is an answer.
async fn connect(from: &Doorway, to: Ipv4Addr, port: u16) -> bool {
    let to = std::net::SocketAddrV4::new(to, port);
    let connected: std::io::Result<TcpStream> = from.connect(to, CONNECT_TIMEOUT).await;
    match connected {
        Ok(_) => true,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
    }
}

/// Returns how the result differs from the rules, if it does.
fn differs(vpc: &Vpc, tried: &Tried<'_>) -> Option<String> {
    let verdict = vpc.network.judge(tried.from, tried.to, tried.port);
    (verdict.reaches() != tried.reached).then(|| {
        let found = if tried.reached {
            "was reached"
        } else {
            "was not reached"
        };
        format!(
            "{}:{} {found} by {}, though by the rules {verdict}",
            tried.to.name, tried.port, tried.from.name
        )
    })
}

type Packets = HashSet<(Ipv4Addr, Ipv4Addr, u16)>;

/// Returns connections from the internet that the ACLs let pass, whether or not a group blocked them then.
fn admitted(vpc: &Vpc) -> Result<Packets> {
    let text = vpc.set_of_router(ADMITTED)?;
    let json: Value = serde_json::from_str(&text).context("what nft prints is not understood")?;
    let sets = json["nftables"].as_array().into_iter().flatten();
    let elements = sets
        .filter_map(|object| object["set"]["elem"].as_array())
        .flatten();
    Ok(elements.filter_map(packet).collect())
}

/// Parses `{"concat": ["203.0.113.10", "10.0.1.10", 80]}`, possibly within `{"elem": {"val": …}}`.
fn packet(element: &Value) -> Option<(Ipv4Addr, Ipv4Addr, u16)> {
    let value = element["elem"].get("val").unwrap_or(element);
    let parts = value["concat"].as_array()?;
    let address = |at: usize| parts.get(at)?.as_str()?.parse().ok();
    let port = parts.get(2)?.as_u64()?;
    Some((address(0)?, address(1)?, u16::try_from(port).ok()?))
}

/// Formats a finding, and whether the packets were seen.
fn told(finding: &Finding<'_>, admitted: &Packets) -> String {
    match finding {
        Finding::Acl { from, to, port, .. }
            if admitted.contains(&(from.address, to.address, *port)) =>
        {
            format!("{finding} (seen to pass)")
        }
        _ => finding.to_string(),
    }
}

/// Returns what the router let pass against its rules.
fn unexplained<'a>(
    vpc: &'a Vpc,
    admitted: &'a Packets,
    findings: &'a [Finding<'_>],
) -> impl Iterator<Item = String> + 'a {
    let unwanted = vpc.network.hosts().flat_map(move |to| {
        let tier = vpc.network.tier(&to.tier);
        let port = tier.and_then(|tier| tier.port);
        let from = vpc.network.tiers.iter().filter(|tier| tier.group.is_none());
        from.flat_map(|from| from.hosts.iter().map(move |host| (from, host)))
            .filter_map(move |(from, host)| Some((from, host, to, tier?, port?)))
    });
    unwanted
        .filter(|(from, host, to, tier, port)| {
            let is_found = findings.iter().any(|finding| {
                matches!(finding, Finding::Acl { to: found, .. } if found.name == to.name)
            });
            vpc.network.flow(from, tier).is_none()
                && !is_found
                && !vpc.network.nat_is_on
                && admitted.contains(&(host.address, to.address, *port))
        })
        .map(|(_, host, to, _, port)| {
            format!(
                "{} passed the ACLs to {}:{port}, although no entry allows it",
                host.name, to.name
            )
        })
}
