//! The router's routing tables: one for each route table of the network, used only for packets of its subnets.

use aws_model::network::{Peer, Route, RouteTable, RouteTarget};

use super::{
    Vpc,
    rules::{INTERNET, S3, bridge},
};

/// Number of the first of the network's own tables, and of the one for packets from outside.
const FIRST_TABLE: usize = 100;
const FROM_OUTSIDE: usize = 99;

/// Selects by a packet's origin: a subnet's own table, or the one for outside. Packets without a route are dropped.
pub(super) fn of_router(vpc: &Vpc) -> String {
    let network = &vpc.network;
    let mut batch = String::new();
    let mut add = |line: String| {
        batch.push_str(&line);
        batch.push('\n');
    };
    let local = |table: usize| -> Vec<String> {
        let subnets = network.subnets.iter();
        subnets
            .filter_map(|subnet| {
                let bridge = bridge(network, &subnet.name)?;
                Some(format!(
                    "route add {} dev {bridge} table {table}",
                    subnet.cidr
                ))
            })
            .collect()
    };
    for (at, table) in network.route_tables.iter().enumerate() {
        let number = FIRST_TABLE + at;
        local(number).into_iter().for_each(&mut add);
        for route in table
            .routes
            .iter()
            .filter(|route| network.is_there(route.only))
        {
            route_lines(vpc, route, number)
                .into_iter()
                .for_each(&mut add);
        }
        // A lower priority than any route of the table itself.
        add(format!(
            "route add blackhole default table {number} metric 9999"
        ));
    }
    local(FROM_OUTSIDE).into_iter().for_each(&mut add);
    add(format!(
        "route add blackhole default table {FROM_OUTSIDE} metric 9999"
    ));
    for subnet in &network.subnets {
        let is_its = |table: &RouteTable| table.name == subnet.route_table;
        let at = network.route_tables.iter().position(is_its);
        if let (Some(bridge), Some(at)) = (bridge(network, &subnet.name), at) {
            add(format!("rule add iif {bridge} lookup {}", FIRST_TABLE + at));
        }
    }
    for interface in [INTERNET, S3] {
        add(format!("rule add iif {interface} lookup {FROM_OUTSIDE}"));
    }
    batch
}

fn route_lines(vpc: &Vpc, route: &Route, table: usize) -> Vec<String> {
    let network = &vpc.network;
    let outside = |name: &str| network.host(name).map(|host| host.address);
    let via = match route.via {
        RouteTarget::InternetGateway => {
            outside(INTERNET).map(|address| format!("via {address} dev {INTERNET} onlink"))
        }
        RouteTarget::S3GatewayEndpoint => {
            outside(S3).map(|address| format!("via {address} dev {S3} onlink"))
        }
        RouteTarget::NatGateway => {
            let bridge = bridge(network, &network.nat.subnet);
            bridge.map(|bridge| format!("via {} dev {bridge} onlink", network.nat.address))
        }
    };
    let Some(via) = via else {
        return Vec::new();
    };
    let cidrs = match &route.to {
        Peer::Group(_) => &[],
        peer => network.cidrs(peer),
    };
    let lines = cidrs.iter();
    lines
        .map(|cidr| format!("route add {cidr} {via} table {table}"))
        .collect()
}
