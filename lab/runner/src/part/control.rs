//! The control plane of a lab with a VPC: this program, with another command.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4},
    time::Duration,
};

use anyhow::Result;

use super::{ConfigFile, Part, PartName};
use crate::{
    control::{Config, DoorConfig},
    health::Health,
    lab::Lab,
    process::{Launch, Output},
    vpc::{Vpc, home_of, hosts_of, rules::INTERNET},
};

/// Connections among AWS's services: S3 sends events, Lambda receives them and sends dead letters.
const SERVICES: [(PartName, PartName); 3] = [
    (PartName::S3, PartName::Lambda),
    (PartName::S3, PartName::Sqs),
    (PartName::Lambda, PartName::Sqs),
];

pub fn part(lab: &Lab) -> Result<Part> {
    let path = lab.dir.config("control.json");
    let vpc = lab.required_vpc()?;
    Ok(Part {
        name: PartName::Control,
        about: "control plane".to_owned(),
        address: lab.address(PartName::Control),
        launch: Launch {
            program: lab.workspace.lab().to_owned(),
            args: vec!["control".into(), path.clone().into()],
            env: BTreeMap::new(),
            output: Output::File,
        },
        files: vec![ConfigFile {
            path,
            // Plain data: the fallback is never reached.
            content: serde_json::to_string(&config(lab, vpc)).unwrap_or_default(),
        }],
        health: Health::Http {
            path: "/_lab/health",
        },
        stop_timeout: Duration::from_secs(5),
    })
}

fn config(lab: &Lab, vpc: &Vpc) -> Config {
    let parts = lab.part_names();
    let of_person = parts.iter().filter_map(|&part| {
        // The front door, below, leads there through the internet.
        let home = home_of(part).filter(|_| part != PartName::Alb)?;
        Some(DoorConfig {
            from: None,
            listen: v4(lab.address(part))?,
            to: vpc.namespace(home),
            targets: vec![SocketAddrV4::new(
                Ipv4Addr::LOCALHOST,
                lab.listens(part).port(),
            )],
        })
    });
    let nodes = hosts_of(PartName::Alb).iter().filter_map(|name| {
        let host = vpc.network.host(name)?;
        let port = vpc.network.tier(&host.tier)?.port?;
        Some(SocketAddrV4::new(host.address, port))
    });
    let front = v4(lab.address(PartName::Alb)).map(|listen| DoorConfig {
        from: None,
        listen,
        to: vpc.namespace(INTERNET),
        targets: nodes.collect(),
    });
    let of_services = SERVICES.iter().filter_map(|&(from, to)| {
        let address = v4(lab.address(to))?;
        Some(DoorConfig {
            from: Some(vpc.namespace(home_of(from)?)),
            listen: address,
            to: vpc.namespace(home_of(to)?),
            targets: vec![address],
        })
    });
    Config {
        listen: lab.address(PartName::Control),
        doors: of_person.chain(front).chain(of_services).collect(),
    }
}

/// Converts an address; all of the lab's are IPv4.
fn v4(address: SocketAddr) -> Option<SocketAddrV4> {
    match address.ip() {
        IpAddr::V4(ip) => Some(SocketAddrV4::new(ip, address.port())),
        IpAddr::V6(_) => None,
    }
}
