//! What can go wrong, with a switch for each.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use futures::future::join_all;
use lab_runner::fault::{Target, all};
use lab_runner::part::PartName;

use super::{Shell, page};
use crate::server::Console;
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
    let lists = join_all(Target::ALL.map(|target| all::list(target, &console.lab))).await;
    let groups = Target::ALL.into_iter().zip(lists);
    let group = |(target, found): (Target, Result<_, lab_runner::fault::Error>)| match found {
        Err(error) if error.is_absence() => None,
        found => Some(Group {
            name: target.name(),
            about: about(target),
            found: found.map_err(|error| lab_runner::output::chain(&error)),
        }),
    };
    let groups: Vec<_> = groups.filter_map(group).collect();
    let parts = console.watch.parts().into_iter();
    page(&Page {
        shell: Shell::of("Faults", &uri, &console),
        groups,
        parts: parts
            .filter(|part| part.part != PartName::Console)
            .map(|part| (part.part, part.state.as_str()))
            .collect(),
        events: console.watch.events(8),
    })
}

fn about(target: Target) -> &'static str {
    match target {
        Target::S3 => "S3, and the events that it sends",
        Target::Lambda => "The function and its host",
        Target::Relay => "The network between the parts",
        Target::Mysql => "The database",
        Target::Zone => "Zones of the VPC",
    }
}

/// `None` where the fault does not tell.
fn is_on(fault: &all::Listed) -> Option<bool> {
    match fault.state {
        all::State::On(_) => Some(true),
        all::State::Off => Some(false),
        all::State::Untold => None,
    }
}
