//! What the supervisor knows of the parts, in a file for other processes.

use std::net::SocketAddr;

use anyhow::Result;
use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use super::LabDir;
use crate::{files, output, part_name::PartName, process::Identity};

#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    Starting,
    Healthy,
    Unhealthy,
    Stopped,
}

impl PartState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Stopped => "stopped",
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PartStatus {
    pub part: PartName,
    pub pid: Option<i32>,
    pub addr: SocketAddr,
    pub state: PartState,
    /// Program and version, such as `mariadb 10.11.19`.
    pub about: String,
    /// Start time, which with the pid identifies the process uniquely.
    pub start_time: Option<u64>,
    /// Number of deaths.
    pub deaths: u32,
    /// Time from start to the first successful health check.
    pub ready_ms: Option<u64>,
    /// Why it is not healthy, or how it last died.
    pub detail: Option<String>,
}

impl PartStatus {
    /// A part that has not been started yet.
    pub fn new(part: PartName, addr: SocketAddr, about: String) -> Self {
        Self {
            part,
            pid: None,
            addr,
            state: PartState::Stopped,
            about,
            start_time: None,
            deaths: 0,
            ready_ms: None,
            detail: None,
        }
    }

    pub fn identity(&self) -> Option<Identity> {
        let pid = self.pid?;
        Some(Identity {
            pid,
            start_time: self.start_time,
        })
    }

    /// Returns what has changed since `before`, for people.
    pub fn news_since(&self, before: &Self) -> Option<String> {
        if self.deaths > before.deaths {
            return Some(match self.pid {
                Some(pid) => format!("died; started again as pid {pid}"),
                None => self.detail.clone().unwrap_or_default(),
            });
        }
        if self.state == before.state {
            return None;
        }
        let state = self.state.as_str();
        Some(match &self.detail {
            Some(detail) => format!("{state}: {detail}"),
            None => state.to_owned(),
        })
    }

    /// The state once nobody supervises: a process that still runs is orphaned.
    #[must_use]
    pub fn unsupervised(mut self) -> Self {
        if self.identity().is_some_and(Identity::is_alive) {
            self.state = PartState::Unhealthy;
            self.detail = Some("its supervisor is gone".to_owned());
        } else {
            self.state = PartState::Stopped;
            self.pid = None;
            self.start_time = None;
        }
        self
    }
}

/// State of the lab as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    Starting,
    Running,
    Stopping,
    Stopped,
}

/// Why a start was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// The part whose log to read.
    pub part: Option<PartName>,
    pub reason: String,
}

impl Failure {
    pub fn of(part: Option<PartName>, error: &dyn std::error::Error) -> Self {
        Self {
            part,
            reason: output::chain(error),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    pub supervisor: Identity,
    pub phase: Phase,
    pub failure: Option<Failure>,
    pub parts: Vec<PartStatus>,
}

impl Status {
    /// Loads what the supervisor last wrote, corrected if it has died since; `None` if there never was one.
    pub fn load(dir: &LabDir) -> Result<Option<Self>> {
        let written: Option<Self> = files::read_json(&dir.status())?;
        let Some(mut status) = written else {
            return Ok(None);
        };
        if !dir.is_supervised()? {
            status.phase = Phase::Stopped;
            status.parts = status
                .parts
                .into_iter()
                .map(PartStatus::unsupervised)
                .collect();
        }
        Ok(Some(status))
    }

    /// Sends a signal to a part; returns `false` if it is not running.
    pub fn signal(dir: &LabDir, part: PartName, signal: Signal) -> Result<bool> {
        let status = Self::load(dir)?.ok_or_else(|| dir.no_lab())?;
        let process = status.part(part).and_then(PartStatus::identity);
        Ok(process.is_some_and(|process| process.signal(signal)))
    }

    pub fn part(&self, name: PartName) -> Option<&PartStatus> {
        self.parts.iter().find(|status| status.part == name)
    }

    pub fn all_healthy(&self) -> bool {
        !self.parts.is_empty()
            && self
                .parts
                .iter()
                .all(|status| status.state == PartState::Healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(pid: Option<i32>) -> PartStatus {
        PartStatus {
            part: PartName::AppA,
            pid,
            addr: "127.0.0.1:3011".parse().unwrap(),
            state: PartState::Healthy,
            about: "app-tier".to_owned(),
            start_time: Some(1),
            deaths: 0,
            ready_ms: Some(40),
            detail: None,
        }
    }

    #[test]
    fn has_the_members_that_scripts_read() {
        let json = serde_json::to_value(sample(Some(42))).unwrap();
        assert_eq!(json["part"], "app-a");
        assert_eq!(json["pid"], 42);
        assert_eq!(json["addr"], "127.0.0.1:3011");
        assert_eq!(json["state"], "healthy");
    }

    #[test]
    fn without_a_supervisor_a_dead_part_is_stopped_not_healthy() {
        let status = sample(Some(i32::MAX)).unsupervised();
        assert_eq!(status.state, PartState::Stopped);
        assert_eq!(status.pid, None);
    }

    #[test]
    fn a_lab_without_parts_is_not_healthy() {
        let status = Status {
            supervisor: Identity::of(1),
            phase: Phase::Starting,
            failure: None,
            parts: Vec::new(),
        };
        assert!(!status.all_healthy());
    }
}
