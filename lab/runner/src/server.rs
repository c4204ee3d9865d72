//! A server in addition to the lab's parts, which ends with whatever started it.

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Error, Result, anyhow, ensure};
use tokio::{
    process::Child,
    time::{Instant, sleep},
};

use crate::{
    health::Health,
    part::{ConfigFile, Part},
    process::{Identity, Launch, kill_group},
    usage::Usage,
};

/// Longest time from start to healthy; interpreters with many modules are slow.
const START: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

fn died(name: &str, log: &Path) -> Error {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    let log = lines[lines.len().saturating_sub(10)..].join("\n");
    anyhow!("{name} exited right after its start; its log ends with\n{log}")
}

/// What to start, and its health check.
#[derive(Clone, Debug)]
pub struct Spec {
    pub address: SocketAddr,
    pub launch: Launch,
    pub files: Vec<ConfigFile>,
    pub health: Health,
    /// Time from SIGTERM until it is killed.
    pub stop_timeout: Duration,
}

impl From<Part> for Spec {
    fn from(part: Part) -> Self {
        Self {
            address: part.address,
            launch: part.launch,
            files: part.files,
            health: part.health,
            stop_timeout: part.stop_timeout,
        }
    }
}

#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    name: String,
    child: Child,
    process: Identity,
    stop_timeout: Duration,
}

impl Server {
    /// Starts it; returns once it is healthy.
    pub async fn start(name: &str, spec: impl Into<Spec>, log: &Path) -> Result<Self> {
        let spec = spec.into();
        for file in &spec.files {
            file.write()?;
        }
        let child = spec.launch.spawn(log)?;
        let process = Identity::of_child(&child).ok_or_else(|| died(name, log))?;
        let server = Self {
            address: spec.address,
            name: name.to_owned(),
            child,
            process,
            stop_timeout: spec.stop_timeout,
        };
        let deadline = Instant::now() + START;
        while let Err(unhealthy) = spec.health.check(spec.address).await {
            if !process.is_alive() {
                return Err(died(name, log));
            }
            ensure!(
                Instant::now() < deadline,
                "{name} did not become healthy: {unhealthy}"
            );
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

    /// Returns the resource usage of the process and its children.
    pub fn usage(&self) -> Usage {
        Usage::of_group(self.process.pid)
    }

    pub async fn end(mut self) {
        tokio::join!(self.process.end(self.stop_timeout), async {
            // Reaps it, whatever its status.
            let _ = self.child.wait().await;
        });
    }
}

impl Drop for Server {
    /// Ends it after an aborted run; does nothing if it has ended.
    fn drop(&mut self) {
        if self.process.is_alive() {
            kill_group(self.process.pid);
        }
    }
}
