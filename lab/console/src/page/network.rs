//! The network as it is on AWS: zones, subnets, and the parts in them.

use std::sync::Arc;

use askama::Template;
use aws_model::network::{Network, Zone};
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use lab_runner::state::status::PartState;
use lab_runner::vpc;

use super::{Shell, page};
use crate::state::Console;
use crate::watch;

#[derive(Template)]
#[template(path = "network.html")]
struct Page {
    shell: Shell,
    vpc: String,
    region: String,
    zones: Vec<ZoneView>,
    groups: Vec<GroupView>,
    /// Whether the lab's parts run in this network, or it only shows what AWS has.
    live: bool,
    problem: Option<String>,
}

struct ZoneView {
    name: String,
    cut: bool,
    subnets: Vec<SubnetView>,
}

struct SubnetView {
    name: String,
    cidr: String,
    public: bool,
    hosts: Vec<HostView>,
}

struct HostView {
    name: String,
    address: String,
    group: String,
    state: &'static str,
}

/// A security group and who may connect.
struct GroupView {
    name: String,
    about: String,
    inbound: Vec<RuleView>,
    outbound: Vec<RuleView>,
}

struct RuleView {
    ports: String,
    peer: String,
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let lab = &console.lab;
    let read = match &lab.vpc {
        Some(vpc) => Ok(vpc.network.clone()),
        None => vpc::read(&lab.workspace.network()),
    };
    let shell = Shell::of("Network", &uri, &console);
    let live = lab.vpc.is_some();
    page(&match read {
        Ok(network) => Page {
            shell,
            vpc: format!("{} {}", network.vpc.name, network.vpc.cidr),
            region: network.region.to_string(),
            zones: zones(&network, &console),
            groups: group_views(&network),
            live,
            problem: None,
        },
        Err(error) => Page {
            shell,
            vpc: String::new(),
            region: String::new(),
            zones: Vec::new(),
            groups: Vec::new(),
            live,
            problem: Some(lab_runner::output::chain(error.as_ref())),
        },
    })
}

fn zones(network: &Network, console: &Console) -> Vec<ZoneView> {
    let zones = network.zones().into_iter();
    zones
        .map(|zone| ZoneView {
            name: format!("{}{zone}", network.region),
            cut: is_cut(zone, console),
            subnets: subnets(zone, network, console),
        })
        .collect()
}

fn is_cut(zone: Zone, console: &Console) -> bool {
    let vpc = console.lab.vpc.as_ref();
    vpc.is_some_and(|vpc| vpc.is_cut(zone).unwrap_or_default())
}

fn subnets(zone: Zone, network: &Network, console: &Console) -> Vec<SubnetView> {
    let subnets = network.subnets.iter().filter(|subnet| subnet.zone == zone);
    let is_public = |subnet: &aws_model::network::Subnet| {
        let table = network.route_table(&subnet.route_table);
        table.is_some_and(|table| {
            let mut routes = table.routes.iter();
            routes.any(|route| route.via == aws_model::network::RouteTarget::InternetGateway)
        })
    };
    subnets
        .map(|subnet| SubnetView {
            name: subnet.name.to_string(),
            cidr: subnet.cidr.to_string(),
            public: is_public(subnet),
            hosts: network
                .hosts()
                .filter(|host| host.subnet.as_ref() == Some(&subnet.name))
                .map(|host| host_view(host, network, console))
                .collect(),
        })
        .collect()
}

fn host_view(host: &aws_model::network::Host, network: &Network, console: &Console) -> HostView {
    let group = network
        .tier(&host.tier)
        .and_then(|tier| tier.group.as_ref());
    let parts = console.watch.parts();
    // A load balancer is one process with a node in each zone.
    let mut parts = parts.iter();
    let part = parts.find(|part| vpc::hosts_of(part.name).contains(&host.name.as_str()));
    HostView {
        name: host.name.to_string(),
        address: host.address.to_string(),
        group: group.map(ToString::to_string).unwrap_or_default(),
        state: part
            .map_or(watch::WatchedState::Known(PartState::Stopped), |part| {
                part.state
            })
            .as_str(),
    }
}

fn group_views(network: &Network) -> Vec<GroupView> {
    let rule = |rule: &aws_model::network::GroupRule| RuleView {
        ports: rule.ports.to_string(),
        peer: rule.peer.to_string(),
    };
    let always = |rule: &&aws_model::network::GroupRule| network.is_there(rule.only);
    network
        .groups
        .iter()
        .map(|group| GroupView {
            name: group.name.to_string(),
            about: group.about.to_string(),
            inbound: group.inbound.iter().filter(always).map(rule).collect(),
            outbound: group.outbound.iter().filter(always).map(rule).collect(),
        })
        .collect()
}
