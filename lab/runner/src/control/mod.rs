//! What reaches a host of the VPC without its network: a person by Session Manager, and AWS's own services among
//! themselves.
//!
//! Each door is a port in one namespace that leads to a port in another. The pipeline's own traffic uses only the front
//! door: from the person's shell into the internet, and from there through the network.

mod door;

use std::{io, path::Path};

use axum::{Router, routing::get};
use serde::{Deserialize, Serialize};
use std::net::{SocketAddr, SocketAddrV4};
use tokio::net::TcpListener;

use self::door::Door;
use crate::{
    files,
    shutdown::Shutdown,
    vpc::{self, doorway::Doorway},
};

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

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Files(#[from] files::Error),
    #[error(transparent)]
    Vpc(#[from] vpc::Error),
    #[error("no configuration found in {0}")]
    NoConfig(String),
    #[error("cannot listen on {address}")]
    Listen {
        address: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error("the control plane failed")]
    Serve(#[source] io::Error),
}

/// Keeps the doors open until told to stop.
pub async fn run(config: &Path, shutdown: &mut Shutdown) -> Result<(), Error> {
    let config: Config =
        files::read_json(config)?.ok_or_else(|| Error::NoConfig(config.display().to_string()))?;
    for door in config.doors {
        let failed = |source| Error::Listen {
            address: SocketAddr::V4(door.listen),
            source,
        };
        let listener = match &door.from {
            Some(namespace) => {
                let front = Doorway::open(namespace)?;
                front.listen(door.listen).await.map_err(failed)?
            }
            None => TcpListener::bind(door.listen).await.map_err(failed)?,
        };
        let door = Door::new(Doorway::open(&door.to)?, door.targets);
        tokio::spawn(door.serve(listener));
    }
    let health = Router::new().route("/_lab/health", get(|| async { "OK" }));
    let listener = TcpListener::bind(config.listen)
        .await
        .map_err(|source| Error::Listen {
            address: config.listen,
            source,
        })?;
    tokio::select! {
        served = async { axum::serve(listener, health).await } => served.map_err(Error::Serve),
        _ = shutdown.wait() => Ok(()),
    }
}
