//! A server that is measured beside the lab's parts, and ends with the run.

use std::{net::SocketAddr, path::Path, time::Duration};

use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use super::{Error, usage::Usage};
use crate::{
    health::Health,
    part::{ConfigFile, Part},
    ports::free_listener,
    process::{Identity, Launch, kill_group},
};

/// From its start until it is healthy; interpreters with many modules take their time.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// What to start, and how it shows its health.
#[derive(Clone, Debug)]
pub struct Spec {
    pub address: SocketAddr,
    pub launch: Launch,
    pub files: Vec<ConfigFile>,
    pub health: Health,
    /// From SIGTERM until it is killed.
    pub patience: Duration,
}

impl From<Part> for Spec {
    fn from(part: Part) -> Self {
        Self {
            address: part.address,
            launch: part.launch,
            files: part.files,
            health: part.health,
            patience: part.patience,
        }
    }
}

#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    name: String,
    child: Child,
    process: Identity,
    patience: Duration,
}

impl Server {
    /// Returns once it is healthy.
    pub async fn start(name: &str, spec: impl Into<Spec>, log: &Path) -> Result<Self, Error> {
        let spec = spec.into();
        for file in &spec.files {
            file.write()?;
        }
        let child = spec.launch.spawn(log)?;
        let process = Identity::of_child(&child).ok_or_else(|| Error::died(name, log))?;
        let server = Self {
            address: spec.address,
            name: name.to_owned(),
            child,
            process,
            patience: spec.patience,
        };
        let deadline = Instant::now() + START;
        while let Err(ill) = spec.health.check(spec.address).await {
            if !process.is_alive() {
                return Err(Error::died(name, log));
            }
            if Instant::now() >= deadline {
                return Err(Error::Ill {
                    name: name.to_owned(),
                    reason: ill.to_string(),
                });
            }
            sleep(POLL).await;
        }
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of the process and those that it started.
    pub fn usage(&self) -> Usage {
        Usage::of_group(self.process.pid)
    }

    pub async fn end(mut self) {
        tokio::join!(self.process.end(self.patience), async {
            // It is reaped, whatever its status.
            let _ = self.child.wait().await;
        });
    }
}

impl Drop for Server {
    /// Where a run is broken off. Nothing happens to one that has ended.
    fn drop(&mut self) {
        if self.process.is_alive() {
            kill_group(self.process.pid);
        }
    }
}

/// A port that nobody listens on now.
pub fn free_address() -> Result<SocketAddr, Error> {
    free_listener()?
        .local_addr()
        .map_err(|error| Error::Unexpected(error.to_string()))
}
