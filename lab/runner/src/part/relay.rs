//! The relay between the parts: this program, with another command.

use std::{collections::BTreeMap, time::Duration};

use super::{ConfigFile, Part, PartName};
use crate::{
    health::Health,
    lab::Lab,
    ports::LINKED,
    process::{Launch, Output},
    relay::{Config, LinkConfig},
};

pub fn part(lab: &Lab) -> Part {
    let path = lab.dir.config("relay.json");
    Part {
        name: PartName::Relay,
        about: "relay".to_owned(),
        address: lab.address(PartName::Relay),
        launch: Launch {
            program: lab.workspace.lab().to_owned(),
            args: vec!["relay".into(), path.clone().into()],
            env: BTreeMap::new(),
            output: Output::File,
        },
        files: vec![ConfigFile {
            path,
            // Plain data: the fallback is never reached.
            content: serde_json::to_string(&config(lab)).unwrap_or_default(),
        }],
        health: Health::Http {
            path: "/_lab/health",
        },
        stop_timeout: Duration::from_secs(5),
    }
}

fn config(lab: &Lab) -> Config {
    let parts = lab.part_names();
    let linked = LINKED.into_iter().filter(|part| parts.contains(part));
    Config {
        listen: lab.address(PartName::Relay),
        control_token: lab.credentials.control.clone(),
        links: linked
            .map(|part| LinkConfig {
                part,
                listen: lab.settings.ports.link(part),
                target: lab.address(part),
            })
            .collect(),
    }
}
