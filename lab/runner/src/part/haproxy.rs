//! haproxy instead of an Application Load Balancer.
//!
//! It behaves as an ALB does towards the tiers: 60 s idle timeout, health checks with thresholds, traffic to all
//! targets if none is healthy, no retries.

use std::{collections::BTreeMap, fmt::Write as _, net::SocketAddr, path::Path, time::Duration};

use anyhow::Result;

use super::{ConfigFile, Part, PartName};
use crate::{
    lab::Lab,
    process::{Launch, Output},
    vpc::{Vpc, hosts_of},
};

/// Answered by haproxy itself, not by a target.
const HEALTH_PATH: &str = "/_lab/health";

const COMMON: &str = "\
global
    maxconn 4000
    no strict-limits
    hard-stop-after 5s
    log stdout format raw local0 info

defaults
    mode http
    log global
    option httplog
    # A load balancer can't know whether a request is safe to repeat.
    retries 0
    no option redispatch
    http-reuse safe
    # An ALB gives up a connection that is idle for 60 s, and a target that does not take one within 10 s.
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout http-request 60s
    timeout http-keep-alive 60s
";

/// Name of the target group of a load balancer with a single node.
const TARGETS: &str = "targets";

/// Replaces the API for the target health of an ALB: a line for each target of a node, `web-a 1` if it is in service.
pub const TARGETS_PATH: &str = "/_lab/targets";

/// Replaces the metrics and target groups of an ALB: requests, answers and checks of each target. Append `;json` for
/// JSON.
pub const STATS_PATH: &str = "/_lab/stats";

/// An ALB appends to X-Forwarded-For, replaces the other two, and gives each request a trace id.
const HEADERS: &str = r#"    http-request replace-header X-Forwarded-For ^(.*)$ "\1, %[src]"
    http-request set-header X-Forwarded-For %[src] unless { req.hdr(X-Forwarded-For) -m found }
    http-request set-header X-Forwarded-Port %[dst_port]
    http-request set-header X-Amzn-Trace-Id "Root=1-%{+X}Ts-%[uuid(),regsub(-,,g),bytes(0,24)]" unless { req.hdr(X-Amzn-Trace-Id) -m found }
"#;

/// An ALB's thresholds, at an interval suitable for a lab. A server counts as up until checks fail.
const CHECKS: &str = "\
    balance roundrobin
    option httpchk
    http-check send meth GET uri /health ver HTTP/1.1 hdr Host health-check
    http-check expect status 200
    default-server inter 1s fall 2 rise 5
    # An ALB fails open: with no healthy target, all get traffic. Hence each once more, unchecked.
    option allbackups
";

/// An ALB takes any certificate of a target, as it reaches targets inside the VPC alone.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html>
const UNVERIFIED: &str = " ssl verify none alpn http/1.1";

/// The ALB before the web tier.
pub fn external(lab: &Lab) -> Result<Part> {
    part(lab, PartName::Alb, &[PartName::WebA, PartName::WebB])
}

/// The ALB between the tiers.
pub fn internal(lab: &Lab) -> Result<Part> {
    part(lab, PartName::Ilb, &[PartName::AppA, PartName::AppB])
}

/// Returns the load balancer in front of a part.
pub fn before(part: PartName) -> Option<PartName> {
    match part {
        PartName::WebA | PartName::WebB => Some(PartName::Alb),
        PartName::AppA | PartName::AppB => Some(PartName::Ilb),
        _ => None,
    }
}

fn part(lab: &Lab, name: PartName, targets: &[PartName]) -> Result<Part> {
    let haproxy = &lab.settings.tools.haproxy;
    let address = lab.address(name);
    let path = lab.dir.config(&format!("{name}.cfg"));
    let targets: Vec<_> = targets
        .iter()
        .map(|&target| (target, lab.route(target)))
        .collect();
    let (fronts, backends) = match &lab.vpc {
        Some(vpc) => nodes(name, vpc, address),
        None => (vec![Front::alone(name, address)], vec![Backend::alone()]),
    };
    let certificate = lab.tls().map(|files| files.servers);
    Ok(Part {
        name,
        about: format!("haproxy {}", haproxy.version),
        address,
        launch: Launch {
            program: haproxy.program.clone(),
            args: vec!["-db".into(), "-f".into(), path.clone().into()],
            env: BTreeMap::new(),
            // haproxy clears all flags of its standard output except one.
            output: Output::Pipe,
        },
        files: vec![ConfigFile {
            path,
            content: config(&fronts, &backends, &targets, certificate.as_deref()),
        }],
        health: lab.health(name, HEALTH_PATH)?,
        stop_timeout: Duration::from_secs(10),
    })
}

/// An address that accepts requests.
struct Front {
    name: String,
    bind: SocketAddr,
    namespace: Option<String>,
    backend: String,
}

/// The targets as one node sees them.
struct Backend {
    name: String,
    namespace: Option<String>,
}

impl Front {
    fn alone(name: PartName, bind: SocketAddr) -> Self {
        Self {
            name: name.to_string(),
            bind,
            namespace: None,
            backend: TARGETS.to_owned(),
        }
    }
}

impl Backend {
    fn alone() -> Self {
        Self {
            name: TARGETS.to_owned(),
            namespace: None,
        }
    }
}

/// Returns the nodes of a load balancer. In a VPC it has one in each zone, with an address and health checks of its
/// own, all in one process.
fn nodes(name: PartName, vpc: &Vpc, address: SocketAddr) -> (Vec<Front>, Vec<Backend>) {
    let (mut fronts, mut backends) = (Vec::new(), Vec::new());
    for node in hosts_of(name) {
        let (Some(host), Some(bind)) = (vpc.network.host(node), vpc.address(name)) else {
            continue;
        };
        let backend = format!("{TARGETS}-{node}");
        fronts.push(Front {
            name: (*node).to_owned(),
            bind: (host.address, bind.port()).into(),
            namespace: Some(vpc.namespace(node)),
            backend: backend.clone(),
        });
        backends.push(Backend {
            name: backend,
            namespace: Some(vpc.namespace(node)),
        });
    }
    // A person reaches the external one through the internet, and the internal one by this.
    if let (PartName::Ilb, Some(first)) = (name, backends.first()) {
        fronts.push(Front {
            backend: first.name.clone(),
            ..Front::alone(name, address)
        });
    }
    (fronts, backends)
}

/// Writes the configuration: TLS on both sides, if there is a certificate.
fn config(
    fronts: &[Front],
    backends: &[Backend],
    targets: &[(PartName, SocketAddr)],
    certificate: Option<&Path>,
) -> String {
    let (bind_tls, scheme, server_tls) = match certificate {
        Some(file) => (
            format!(" ssl crt \"{}\" alpn http/1.1", file.display()),
            "https",
            UNVERIFIED,
        ),
        None => (String::new(), "http", ""),
    };
    // Writing to a string can't fail.
    let mut in_service = String::new();
    for backend in backends {
        for (target, _) in targets {
            let _ = write!(
                in_service,
                r"{target} %[srv_is_up({}/{target})]\n",
                backend.name
            );
        }
    }
    let targets_page = format!(
        r#"    http-request return status 200 content-type text/plain lf-string "{in_service}" if {{ path {TARGETS_PATH} }}"#
    );
    let mut text = COMMON.to_owned();
    for front in fronts {
        let Front {
            name,
            bind,
            backend,
            ..
        } = front;
        let _ = write!(
            text,
            "
frontend {name}
    bind {bind}{}{bind_tls}
    monitor-uri {HEALTH_PATH}
    stats enable
    stats uri {STATS_PATH}
{targets_page}
{HEADERS}    http-request set-header X-Forwarded-Proto {scheme}
    default_backend {backend}
",
            within(front.namespace.as_deref())
        );
    }
    for backend in backends {
        let within = within(backend.namespace.as_deref());
        let _ = write!(text, "\nbackend {}\n{CHECKS}", backend.name);
        for (target, address) in targets {
            let _ = writeln!(
                text,
                "    server {target} {address}{within}{server_tls} check"
            );
            let _ = writeln!(
                text,
                "    server {target}-open {address}{within}{server_tls} backup"
            );
        }
    }
    text
}

fn within(namespace: Option<&str>) -> String {
    namespace.map_or(String::new(), |name| format!(" namespace {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_there_checked_and_once_more_for_failing_open() {
        let targets = [
            (PartName::WebA, "127.0.0.1:3001".parse().unwrap()),
            (PartName::WebB, "127.0.0.1:3002".parse().unwrap()),
        ];
        let front = Front::alone(PartName::Alb, "127.0.0.1:8080".parse().unwrap());
        let config = config(&[front], &[Backend::alone()], &targets, None);
        for line in [
            "    bind 127.0.0.1:8080",
            "    stats uri /_lab/stats",
            "    server web-a 127.0.0.1:3001 check",
            "    server web-a-open 127.0.0.1:3001 backup",
            "    server web-b 127.0.0.1:3002 check",
            "    option allbackups",
            r#"    http-request return status 200 content-type text/plain lf-string "web-a %[srv_is_up(targets/web-a)]\nweb-b %[srv_is_up(targets/web-b)]\n" if { path /_lab/targets }"#,
            "    retries 0",
        ] {
            assert!(config.lines().any(|other| other == line), "{line}");
        }
    }

    #[test]
    fn p10_with_a_certificate_it_speaks_tls_on_both_sides() {
        let targets = [(PartName::AppA, "127.0.0.1:3011".parse().unwrap())];
        let front = Front::alone(PartName::Ilb, "127.0.0.1:8081".parse().unwrap());
        let file = Some(Path::new("/a lab/servers.pem"));
        let config = config(&[front], &[Backend::alone()], &targets, file);
        for line in [
            "    bind 127.0.0.1:8081 ssl crt \"/a lab/servers.pem\" alpn http/1.1",
            "    http-request set-header X-Forwarded-Proto https",
            "    server app-a 127.0.0.1:3011 ssl verify none alpn http/1.1 check",
            "    server app-a-open 127.0.0.1:3011 ssl verify none alpn http/1.1 backup",
        ] {
            assert!(
                config.lines().any(|other| other == line),
                "{line}\n{config}"
            );
        }
    }
}
