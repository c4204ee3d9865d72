//! The faults, with a switch for each.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use futures::future::join_all;
use lab_runner::fault::{FaultTarget, all};
use lab_runner::lab::{Absent, Lab};
use lab_runner::part::PartName;

use super::{Shell, page};
use crate::source::{TIMEOUT, within};
use crate::state::Console;
use crate::watch::Event;

#[derive(Template)]
#[template(path = "faults.html")]
struct Page {
    shell: Shell,
    groups: Vec<Group>,
    parts: Vec<(PartName, &'static str)>,
    events: Vec<Event>,
}

struct Group {
    name: &'static str,
    about: &'static str,
    found: Result<Vec<all::Listed>, String>,
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let groups = join_all(FaultTarget::ALL.map(|target| group(target, &console.lab))).await;
    let parts = console.watch.parts().into_iter();
    page(&Page {
        shell: Shell::of("Faults", &uri, &console),
        groups: groups.into_iter().flatten().collect(),
        parts: parts
            .filter(|part| part.name != PartName::Console)
            .map(|part| (part.name, part.state.as_str()))
            .collect(),
        events: console.watch.events(8),
    })
}

/// Returns `None` if the lab has no such part.
async fn group(target: FaultTarget, lab: &Lab) -> Option<Group> {
    let list = async {
        match all::list(target, lab).await {
            Err(error) if error.is::<Absent>() => Ok(None),
            found => found.map(Some),
        }
    };
    Some(Group {
        name: target.name(),
        about: about(target),
        found: match within(TIMEOUT, list).await {
            Ok(found) => Ok(found?),
            Err(away) => Err(away.to_string()),
        },
    })
}

fn about(target: FaultTarget) -> &'static str {
    match target {
        FaultTarget::S3 => "S3, and the events that it sends",
        FaultTarget::Lambda => "The function and its host",
        FaultTarget::Relay => "The network between the parts",
        FaultTarget::Mysql => "The database",
        FaultTarget::Zone => "Zones of the VPC",
    }
}

/// Whether the fault is on; `None` if that is unknown.
fn is_on(fault: &all::Listed) -> Option<bool> {
    match fault.state {
        all::FaultState::On(_) => Some(true),
        all::FaultState::Off => Some(false),
        all::FaultState::Unknown => None,
    }
}
