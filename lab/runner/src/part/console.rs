//! The console, a separate program that reads everything else from the lab's directory.

use serde_json::json;

use super::{ConfigFile, Part, PartName};
use crate::lab::Lab;

pub fn part(lab: &Lab) -> Part {
    let address = lab.address(PartName::Console);
    let config = ConfigFile {
        path: lab.dir.config("console.json"),
        content: json!({ "listen": address, "lab": lab.dir.root() }).to_string(),
    };
    Part::lab_server(PartName::Console, address, config, lab)
}
