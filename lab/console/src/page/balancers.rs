//! The resource maps of both load balancers: listener, rule, target group, targets with their health.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use lab_runner::part::PartName;

use super::{Shell, page};
use crate::source::balancer::{Balancer, Group, Target};
use crate::state::Console;
use crate::text;

#[derive(Template)]
#[template(path = "balancers.html")]
struct Page {
    shell: Shell,
    maps: Vec<Map>,
}

struct Map {
    name: &'static str,
    part: PartName,
    scheme: &'static str,
    listener: String,
    group: &'static str,
    found: Result<Balancer, String>,
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let (external, internal) = tokio::join!(
        Balancer::of(PartName::Alb, &console.http, &console.lab),
        Balancer::of(PartName::Ilb, &console.http, &console.lab),
    );
    let listener = |part| {
        let protocol = if console.lab.speaks_tls(part) {
            "HTTPS"
        } else {
            "HTTP"
        };
        format!("{protocol}:{}", console.lab.address(part).port())
    };
    page(&Page {
        shell: Shell::of("Load balancers", &uri, &console),
        maps: vec![
            Map {
                name: "External ALB",
                part: PartName::Alb,
                scheme: "internet-facing",
                listener: listener(PartName::Alb),
                group: "Web tier",
                found: external.map_err(|away| away.to_string()),
            },
            Map {
                name: "Internal ALB",
                part: PartName::Ilb,
                scheme: "internal",
                listener: listener(PartName::Ilb),
                group: "App tier",
                found: internal.map_err(|away| away.to_string()),
            },
        ],
    })
}

impl Map {
    /// Name of a target group; in a VPC each node has its own view.
    fn group_name(&self, group: &Group) -> String {
        match group.name.strip_prefix("targets-") {
            Some(node) => format!("{}, seen by {node}", self.group),
            None => self.group.to_owned(),
        }
    }
}

impl Target {
    fn since(&self) -> String {
        text::duration(Duration::from_secs(self.seconds))
    }
}
