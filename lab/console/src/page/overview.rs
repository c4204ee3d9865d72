//! The pipeline at a glance.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use lab_runner::part::PartName;
use lab_runner::state::settings::EventRoute;

use super::{Shell, or_dash, page, per_second};
use crate::state::Console;
use crate::text;
use crate::traffic::Report;
use crate::watch::{Event, Now, Part};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    tiles: Vec<Tile>,
    stages: Vec<Stage>,
    traffic: Option<Report>,
    /// Whether the console may send payments.
    may_pay: bool,
    events: Vec<Event>,
}

impl Overview {
    fn is_sending(&self) -> bool {
        let report = self.traffic.as_ref();
        report.is_some_and(|report| report.left.is_some())
    }
}

struct Tile {
    name: &'static str,
    value: String,
    unit: &'static str,
    about: String,
    bad: bool,
}

/// A step on the path of a payment.
struct Stage {
    name: &'static str,
    href: &'static str,
    /// Throughput of this step.
    flow: String,
    nodes: Vec<Node>,
}

struct Node {
    name: &'static str,
    state: &'static str,
    detail: String,
}

pub async fn series(State(console): State<Arc<Console>>) -> Response {
    Json(console.watch.series()).into_response()
}

pub async fn show(State(console): State<Arc<Console>>, uri: Uri) -> Response {
    let now = console.watch.now();
    page(&Overview {
        shell: Shell::of("Overview", &uri, &console),
        tiles: tiles(&now, &console),
        stages: stages(&now, &console),
        traffic: console.traffic.report(),
        may_pay: console.lab.settings.may_pay(),
        events: console.watch.events(14),
    })
}

fn tiles(now: &Now, console: &Console) -> Vec<Tile> {
    let letters = console.watch.dead_letters();
    let (rows, as_of) = super::rows(console);
    let queued = console.watch.function().map(|function| function.queued);
    let count = |number: Option<u64>| number.map_or("–".to_owned(), text::count);
    vec![
        Tile {
            name: "Accepted",
            value: per_second(now.accepted),
            unit: "a second",
            about: format!("{} answers", per_second(now.answers)),
            bad: false,
        },
        Tile {
            name: "Response time",
            value: or_dash(now.p99),
            unit: "p99",
            about: format!("p50 {}", or_dash(now.median)),
            bad: false,
        },
        Tile {
            name: "Answer to row",
            value: or_dash(now.lag),
            unit: "at most",
            about: format!("{} rows a second", per_second(now.rows)),
            bad: false,
        },
        Tile {
            name: "Failed",
            value: per_second(now.failed),
            unit: "a second",
            about: "answers with 5xx".to_owned(),
            bad: now.failed.is_some_and(|failed| failed > 0.0),
        },
        Tile {
            name: "Rows",
            value: rows,
            unit: "",
            about: as_of.unwrap_or_else(|| "in transactions".to_owned()),
            bad: false,
        },
        Tile {
            name: "Dead letters",
            value: count(letters),
            unit: "",
            about: format!("{} queued events", count(queued)),
            bad: letters.is_some_and(|letters| letters > 0),
        },
    ]
}

fn stages(now: &Now, console: &Console) -> Vec<Stage> {
    let parts = console.watch.parts();
    let nodes = |names: &[PartName]| -> Vec<Node> {
        let of = |name: &PartName| parts.iter().find(|part| part.name == *name);
        names
            .iter()
            .filter_map(of)
            .map(|part| node(part, console))
            .collect()
    };
    let stage = |name, href, flow, parts: &[PartName]| Stage {
        name,
        href,
        flow,
        nodes: nodes(parts),
    };
    let balancers = |name, rate, parts: &[PartName]| {
        stage(
            name,
            "/load-balancers",
            format!("{}/s", per_second(rate)),
            parts,
        )
    };
    let puts = format!("{} PUT/s", per_second(now.puts));
    let runs = format!("{} runs/s", per_second(now.runs));
    let rows = format!("{} rows/s", per_second(now.rows));
    let mut stages = vec![
        balancers("External ALB", now.answers, &[PartName::Alb]),
        balancers("Web tier", now.answers, &[PartName::WebA, PartName::WebB]),
        balancers("Internal ALB", now.answers, &[PartName::Ilb]),
        balancers("App tier", now.accepted, &[PartName::AppA, PartName::AppB]),
        stage("S3", "/s3", puts, &[PartName::S3]),
    ];
    if console.lab.settings.via == EventRoute::Sqs {
        let mut queue = stage("SQS", "/lambda", "events".to_owned(), &[PartName::Sqs]);
        if let (Some(node), Some(waiting)) = (queue.nodes.first_mut(), console.watch.queued()) {
            node.detail = format!("{} wait", text::count(waiting));
        }
        stages.push(queue);
    }
    stages.extend([
        stage("Lambda", "/lambda", runs, &[PartName::Lambda]),
        stage("Database", "/database", rows, &[PartName::Mysql]),
    ]);
    stages
}

fn node(part: &Part, console: &Console) -> Node {
    let tier = console.watch.tier(part.name);
    let function = console
        .watch
        .function()
        .filter(|_| part.name == PartName::Lambda);
    let detail = match (&part.detail, function, tier, part.pid) {
        (Some(detail), ..) => detail.clone(),
        (_, Some(function), ..) => {
            let running = u64::try_from(function.environments.len());
            text::plural(running.unwrap_or_default(), "environment", "environments")
        }
        (_, _, Some((_, rate)), _) => format!("{}/s", per_second(Some(rate))),
        (_, _, _, Some(pid)) => format!("pid {pid}"),
        _ => String::new(),
    };
    Node {
        name: part.name.as_str(),
        state: part.state.as_str(),
        detail,
    }
}
