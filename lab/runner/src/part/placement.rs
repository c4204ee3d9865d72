//! Places a part in its namespace of the VPC, and names its peers.

use std::{ffi::OsString, fmt::Write as _};

use aws_model::network::Host;

use super::{ConfigFile, Part, PartName};
use crate::{
    lab::Lab,
    process::Launch,
    vpc::{DATABASE, INTERNAL_ALB, Vpc, home_of, hosts_of},
};

impl Vpc {
    /// Returns the part, to be run in its namespace.
    #[must_use]
    pub(super) fn place(&self, part: Part, lab: &Lab) -> Part {
        let Some(home) = home_of(part.name) else {
            return part;
        };
        let hosts = ConfigFile {
            path: lab.dir.config(&format!("{home}.hosts")),
            content: self.hosts_file(home),
        };
        let inner = part.launch;
        let enter: [OsString; 5] = [
            "enter".into(),
            "--hosts".into(),
            hosts.path.clone().into(),
            self.namespace(home).into(),
            "--".into(),
        ];
        Part {
            launch: Launch {
                program: lab.workspace.lab().to_owned(),
                args: enter
                    .into_iter()
                    .chain([inner.program.into()])
                    .chain(inner.args)
                    .collect(),
                env: inner.env,
                output: inner.output,
            },
            files: part.files.into_iter().chain([hosts]).collect(),
            ..part
        }
    }

    /// Returns the `/etc/hosts` of a host. Nodes of its own zone come first, so that connections stay in a zone.
    fn hosts_file(&self, host: &str) -> String {
        let zone = |host: &Host| {
            let subnet = self.network.subnet(host.subnet.as_ref()?)?;
            Some(subnet.zone)
        };
        let own = self.network.host(host).and_then(zone);
        let mut nodes: Vec<_> = hosts_of(PartName::Ilb)
            .iter()
            .filter_map(|name| self.network.host(name))
            .collect();
        nodes.sort_by_key(|node| zone(node) != own);
        let balancer = nodes.into_iter().map(|node| (node, INTERNAL_ALB));
        let database = hosts_of(PartName::Mysql)
            .iter()
            .filter_map(|name| Some((self.network.host(name)?, DATABASE)));
        let lines = balancer.chain(database);
        let mut file = "127.0.0.1 localhost\n".to_owned();
        for (host, name) in lines {
            // Writing to a string can't fail.
            let _ = writeln!(file, "{} {name}", host.address);
        }
        file
    }
}
