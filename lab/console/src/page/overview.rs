//! The pipeline at a glance.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use lab_runner::lab::{DEAD_LETTER_QUEUE, QUEUE};
use lab_runner::part::PartName;
use lab_runner::state::settings::Via;
use lab_runner::state::status::PartStatus;

use super::{Shell, or_dash, page, per_second};
use crate::server::Console;
use crate::source::function;
use crate::text;
use crate::traffic::Report;
use crate::watch::{Event, Now};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    shell: Shell,
    tiles: Vec<Tile>,
    stages: Vec<Stage>,
    traffic: Option<Report>,
    events: Vec<Event>,
}

struct Tile {
    name: &'static str,
    value: String,
    unit: &'static str,
    about: String,
    bad: bool,
}

/// A step of a payment's way.
struct Stage {
    name: &'static str,
    href: &'static str,
    /// What goes through.
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
    let (letters, waiting) = tokio::join!(
        function::waiting(DEAD_LETTER_QUEUE, &console),
        function::waiting(QUEUE, &console),
    );
    let now = console.watch.now();
    page(&Overview {
        shell: Shell::of("Overview", &uri, &console),
        tiles: tiles(&now, letters.ok(), &console),
        stages: stages(&now, waiting.ok(), &console),
        traffic: console.traffic.report(),
        events: console.watch.events(14),
    })
}

fn tiles(now: &Now, letters: Option<u64>, console: &Console) -> Vec<Tile> {
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
            name: "Answered within",
            value: or_dash(now.p99),
            unit: "99 %",
            about: format!("half within {}", or_dash(now.median)),
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
            bad: now.failed > 0.0,
        },
        Tile {
            name: "Rows",
            value: count(console.watch.rows()),
            unit: "",
            about: "in transactions".to_owned(),
            bad: false,
        },
        Tile {
            name: "Dead letters",
            value: count(letters),
            unit: "",
            about: format!("{} events wait", count(queued)),
            bad: letters.is_some_and(|letters| letters > 0),
        },
    ]
}

fn stages(now: &Now, waiting: Option<u64>, console: &Console) -> Vec<Stage> {
    let parts = console.watch.parts();
    let nodes = |names: &[PartName]| -> Vec<Node> {
        let of = |name: &PartName| parts.iter().find(|part| part.part == *name);
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
    if console.lab.settings.via == Via::Sqs {
        let mut queue = stage("SQS", "/lambda", "events".to_owned(), &[PartName::Sqs]);
        if let (Some(node), Some(waiting)) = (queue.nodes.first_mut(), waiting) {
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

fn node(part: &PartStatus, console: &Console) -> Node {
    let tier = console.watch.tier(part.part);
    let detail = match (&part.detail, tier, part.pid) {
        (Some(detail), _, _) => detail.clone(),
        (None, Some((_, rate)), _) => format!("{}/s", per_second(rate)),
        (None, None, Some(pid)) => format!("pid {pid}"),
        (None, None, None) => String::new(),
    };
    let detail = match (part.part, console.watch.function()) {
        (PartName::Lambda, Some(function)) if part.detail.is_none() => {
            let running = u64::try_from(function.environments.len());
            text::plural(running.unwrap_or_default(), "environment", "environments")
        }
        _ => detail,
    };
    Node {
        name: part.part.as_str(),
        state: part.state.as_str(),
        detail,
    }
}
