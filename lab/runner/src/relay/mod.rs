//! The network between the parts, with faults: a TCP relay.
//!
//! Each part that others connect to has a link: a port of the relay that leads to the part. Without faults, bytes are
//! forwarded unchanged. Faults are named after the link: `web-a-latency`, `mysql-commit-lost`.

mod commit;
mod failover;
mod link;

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use axum::http::{Method, Uri};
use axum::{Router, body::Bytes, extract::State, response::IntoResponse, routing::get};
use reqwest::{StatusCode, header::HeaderMap};
use serde::{Deserialize, Serialize};
use server_kit::fault::{FaultKind, Faults};
use tokio::net::TcpListener;

use self::link::Link;
use crate::{files, part_name::PartName, secret::Secret, shutdown::Shutdown};

#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// Address of the fault interface.
    pub listen: SocketAddr,
    pub control_token: Secret,
    pub links: Vec<LinkConfig>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct LinkConfig {
    pub part: PartName,
    pub listen: SocketAddr,
    pub target: SocketAddr,
}

/// Relays until told to stop.
pub async fn run(config: &Path, shutdown: &mut Shutdown) -> Result<()> {
    let config: Config = files::read_json(config)?
        .with_context(|| format!("no configuration found in {}", config.display()))?;
    let kinds: Vec<FaultKind> = config.links.iter().flat_map(kinds).collect();
    let token = config.control_token;
    let faults = Arc::new(Faults::new(&kinds, Some(token)));
    for link in config.links {
        let listener = listen(link.listen).await?;
        let link = Link::new(&link, Arc::clone(&faults));
        tokio::spawn(link.serve(listener));
    }
    let control = Router::new()
        .route("/_lab/health", get(|| async { "OK" }))
        .fallback(control)
        .with_state(faults);
    let listener = listen(config.listen).await?;
    tokio::select! {
        served = async { axum::serve(listener, control).await } => served.context("the relay failed"),
        _ = shutdown.wait() => Ok(()),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

async fn control(
    State(faults): State<Arc<Faults>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> axum::response::Response {
    match faults.answer(&method, uri.path(), &headers, &body) {
        Some(answer) => answer.map(axum::body::Body::from),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// Returns a link's faults. Their names live as long as the process.
fn kinds(link: &LinkConfig) -> Vec<FaultKind> {
    let part = link.part;
    let kind = |name, about, ms| FaultKind {
        name: link::fault(part, name).leak(),
        about,
        ms,
    };
    let mut kinds = vec![
        kind(link::LATENCY, "bytes arrive later", Some(200)),
        kind(link::RESET, "the connection is reset as bytes arrive", None),
        kind(link::CUT, "nothing passes while it is on", None),
    ];
    if part == PartName::Mysql {
        kinds.push(kind(
            link::COMMIT_LOST,
            "resets the connection after a COMMIT is done, before its answer",
            None,
        ));
        kinds.push(kind(
            link::FAILOVER,
            "leaves open connections on the old writer, which becomes read-only; new ones reach the new writer",
            None,
        ));
    }
    kinds
}
