//! What reaches a host of the VPC without its network: a person by Session Manager, and AWS's own services among
//! themselves.
//!
//! Each door is a port in one namespace that leads to a port in another. The pipeline's own traffic uses only the front
//! door: from the person's shell into the internet, and from there through the network.

mod door;

use std::path::Path;

use anyhow::{Context as _, Result};
use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, SocketAddrV4};
use tokio::net::TcpListener;

use self::door::Door;
use crate::{files, shutdown::Shutdown, vpc::doorway::Doorway};

#[derive(Debug, Serialize, Deserialize)]
pub struct Config {
    /// Address of the health check.
    pub listen: SocketAddr,
    pub doors: Vec<DoorConfig>,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct DoorConfig {
    /// Namespace of its front; `None` for the machine's own.
    pub from: Option<String>,
    pub listen: SocketAddrV4,
    /// Namespace of its back.
    pub to: String,
    /// Used in turn. One that does not answer is skipped, as by a client that got several addresses for a name.
    pub targets: Vec<SocketAddrV4>,
}

/// Keeps the doors open until told to stop.
pub async fn run(config: &Path, shutdown: &mut Shutdown) -> Result<()> {
    let config: Config = files::read_json(config)?
        .with_context(|| format!("no configuration found in {}", config.display()))?;
    for door in config.doors {
        let listener = match &door.from {
            Some(namespace) => Doorway::open(namespace)?.listen(door.listen).await,
            None => TcpListener::bind(door.listen).await,
        };
        let listener = listener.with_context(|| format!("cannot listen on {}", door.listen))?;
        let door = Door::new(Doorway::open(&door.to)?, door.targets);
        tokio::spawn(door.serve(listener));
    }
    let health = Router::new().route("/_lab/health", get(|| async { "OK" }));
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    tokio::select! {
        served = async { axum::serve(listener, health).await } => served.context("the control plane failed"),
        _ = shutdown.wait() => Ok(()),
    }
}
